"""How a probability map becomes a yes/no mask, and what that choice scores. No TensorFlow."""
