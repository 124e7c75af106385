"""This holds the finding of scans in a folder of any depth, and the choice of their reader."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from tfptx.scans import dicom, image_files, image_ids
from tfptx.scans.scan import Scan

SUFFIXES = dicom.SUFFIXES | image_files.SUFFIXES


def find(folder: Path) -> list[Path]:
    """The scan files under `folder`, by id; a single file stands for itself.

    A scan is known by its suffix, a DICOM file of another name by its content. Links are followed.
    Raises ValueError where there is no such folder, it holds no scan, two files share an id, or a
    link leads to nothing; OSError where a folder can't be looked into.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise ValueError(f"no folder at {folder}")
    paths = sorted(
        (path for path in _files(folder) if _is_scan(path)),
        key=lambda path: (image_ids.of_file(path), str(path)),
    )
    if not paths:
        raise ValueError(
            f"{folder} holds no scan: looked for DICOM files and {', '.join(sorted(SUFFIXES))}"
        )
    for path, following in itertools.pairwise(paths):
        image_id = image_ids.of_file(path)
        if image_id == image_ids.of_file(following):
            raise ValueError(f"two files have the id {image_id}: {path} and {following}")
    return paths


def read(path: Path) -> Scan:
    """Read a file of either kind. Raises ValueError where it is no readable radiograph."""
    reader = image_files.read if path.suffix.lower() in image_files.SUFFIXES else dicom.read
    return reader(path)


def _files(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        place = os.path.realpath(parent)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        yield from (Path(parent, name) for name in names)


def _is_scan(path: Path) -> bool:
    has_suffix = path.suffix.lower() in SUFFIXES
    if has_suffix and not path.exists():
        raise ValueError(f"{path} is a link to nothing; repair it or take it away")
    return path.is_file() and (has_suffix or dicom.is_one(path))


def _raise(error: OSError) -> None:
    raise error
