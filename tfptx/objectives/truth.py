"""This holds the hard truth, of losses that know a pixel as inside or outside and nothing between.

Such are sets, their overlaps and their outlines; the losses by cross-entropy take soft truth.
"""

from typing import Any

from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use

LEAST_INSIDE = 0.5  # a probability, as where records make a hard mask of a soft one


def hard(truth: Tensor) -> Tensor:
    """Give bool in the shape of `truth`, which is in [0, 1] in any dtype: where it is inside."""
    return ops.cast(truth, "float32") >= LEAST_INSIDE
