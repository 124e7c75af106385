"""This holds the check of the folder that a command is to write."""

import os
from collections.abc import Iterable
from pathlib import Path


def check(out: Path, overwrite: bool, marker: str, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse, with a ValueError, to replace what the command did not write or is to read.

    A folder may be replaced if `overwrite` says so and it is empty or holds `marker`, the file by
    which the command's own folders are known; and never if one of `inputs` lies in it. What can't
    be written to is refused too.
    """
    if not out.exists():
        refuse_unwritable(out)
        return
    if not overwrite:
        raise ValueError(f"{out} exists already; choose another --out or pass --overwrite")
    if out.is_mount():
        raise ValueError(f"{out} is a mount point, which can't be replaced; choose a folder in it")
    if not out.is_dir() or (any(out.iterdir()) and not (out / marker).is_file()):
        raise ValueError(f"{out} holds no {marker}, so it is not replaced; choose another --out")
    for path in filter(None, inputs):
        if path.resolve().is_relative_to(out.resolve()):
            raise ValueError(f"{path} lies in {out} and would be replaced; choose another --out")
    # A folder is replaced as a whole, by one beside it.
    refuse_unwritable(out.absolute().parent)


def refuse_unwritable(folder: Path, name: str = "--out") -> None:
    """Refuse, with a ValueError, a folder that can't be made or written to, before any work.

    `name` is what the command calls it.
    """
    absolute = folder.absolute()
    nearest = next(place for place in (absolute, *absolute.parents) if place.exists())
    shown = folder if nearest == absolute else nearest
    if not nearest.is_dir():
        raise ValueError(f"{shown} is no folder; choose another {name}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"{shown} can't be written to; choose another {name}")
