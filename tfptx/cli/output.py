"""This holds the check of the folder that a command is to write."""

from collections.abc import Iterable
from pathlib import Path


def check(out: Path, overwrite: bool, marker: str, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse, with a ValueError, to replace what the command did not write or is to read.

    A folder may be replaced if `overwrite` says so and it is empty or holds `marker`, the file by
    which the command's own folders are known; and never if one of `inputs` lies in it.
    """
    if not out.exists():
        return
    if not overwrite:
        raise ValueError(f"{out} exists already; choose another --out or pass --overwrite")
    if not out.is_dir() or (any(out.iterdir()) and not (out / marker).is_file()):
        raise ValueError(f"{out} holds no {marker}, so it is not replaced; choose another --out")
    for path in filter(None, inputs):
        if path.resolve().is_relative_to(out.resolve()):
            raise ValueError(f"{path} lies in {out} and would be replaced; choose another --out")
