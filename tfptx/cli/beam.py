"""This holds the import of what runs by Apache Beam, which is not always installed."""

import importlib
from types import ModuleType


def import_beam(name: str) -> ModuleType:
    """A module of ours that imports Beam. Raises ValueError where that is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"--runner beam needs a package that is missing ({error}); pip install 'tfptx[beam]'"
        ) from error
