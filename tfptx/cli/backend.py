"""This holds the choice of Keras's backend, which is made before Keras is imported."""

import importlib.util
import os


def take_jax() -> None:
    """Let Keras take JAX, unless the environment names another backend.

    Raises ValueError where JAX is not installed.
    """
    if importlib.util.find_spec("jax") is None:
        raise ValueError(
            "several devices, TPUs and several processes need JAX; "
            "pip install 'tfptx[jax]', or 'tfptx[jax-cuda]' or 'tfptx[jax-tpu]' for those"
        )
    os.environ.setdefault("KERAS_BACKEND", "jax")


def check() -> None:
    """Let Keras take TensorFlow unless the environment names JAX.

    Raises ValueError where that is not installed, or where another backend is named.
    """
    named = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if named not in ("tensorflow", "jax"):
        raise ValueError(f"KERAS_BACKEND is {named}; a fit runs on tensorflow or jax")
    if named == "jax":
        take_jax()


def take_tensorflow() -> None:
    """Let Keras take TensorFlow, whatever the environment names."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
