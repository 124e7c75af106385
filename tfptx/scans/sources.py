"""This holds the finding of scans in a folder of any depth, and the choice of their reader."""

import itertools
from pathlib import Path

from tfptx.scans import dicom, image_files
from tfptx.scans.scan import Scan


def find(folder: Path) -> list[Path]:
    """The scan files under `folder`, by name; a single file stands for itself.

    Raises ValueError where there is no such folder, it holds no scan, or two files share an id.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ValueError(f"no folder at {folder}")
    suffixes = dicom.SUFFIXES | image_files.SUFFIXES
    paths = sorted(
        (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file()),
        key=lambda path: (path.stem, str(path)),
    )
    if not paths:
        raise ValueError(f"{folder} holds no scan: looked for {', '.join(sorted(suffixes))}")
    for path, following in itertools.pairwise(paths):
        if path.stem == following.stem:
            raise ValueError(f"two files have the id {path.stem}: {path} and {following}")
    return paths


def read(path: Path) -> Scan:
    """Read a file of either kind. Raises ValueError where it is no readable radiograph."""
    reader = image_files.read if path.suffix.lower() in image_files.SUFFIXES else dicom.read
    return reader(path)
