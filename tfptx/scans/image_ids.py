"""This holds the image id: the name of an image's file, or a cell of a csv, without its suffix."""

from pathlib import Path

DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".dic"})
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})


def of_file(path: Path) -> str:
    """The id of an image's file: `1.2.3` is a name without a suffix, as archives export them."""
    return of(path.name)


def of(name: str) -> str:
    """The id that a name stands for, as `a.b` for `a.b.dcm`; any other suffix is part of the id."""
    name = name.strip()
    stem, dot, suffix = name.rpartition(".")
    is_file = stem and f"{dot}{suffix}".lower() in DICOM_SUFFIXES | IMAGE_SUFFIXES
    return stem if is_file else name
