"""This holds the import of TensorFlow without what its libraries say of their build."""

import os
from pathlib import Path

from tfptx.cli import backend


def import_tensorflow(any_backend: bool = False) -> None:
    """Import TensorFlow with stderr closed to it, and have it log only what is fatal from then on.

    Its libraries write several lines before they read any setting; they would stand between the
    progress and the errors of every command. Keras takes it too, whatever backend the environment
    names, unless the command does its work on `any_backend` that `backend.check` allows.
    """
    if any_backend:
        backend.check()
    else:
        backend.take_tensorflow()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow  # noqa: F401, PLC0415 - the import is the point
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
