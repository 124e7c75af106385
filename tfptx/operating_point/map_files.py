"""This holds the reading of the maps and masks that other tools leave: PNG, NPY and NIfTI files."""

from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tfptx.scans import mask_files

PNG, NPY = ".png", ".npy"
SUFFIXES = (PNG, NPY, ".nii", ".nii.gz")


def find(folder: Path) -> dict[str, Path]:
    """The files under `folder`, at any depth, by image id: the name without its suffix.

    Raises ValueError where there is no such folder, it holds no such file, or two share an id.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder at {folder}")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        suffix = next((each for each in SUFFIXES if path.name.lower().endswith(each)), None)
        if suffix is None or not path.is_file():
            continue
        image_id = path.name[: -len(suffix)]
        if found.setdefault(image_id, path) != path:
            raise ValueError(f"two files have the id {image_id}: {found[image_id]} and {path}")
    if not found:
        raise ValueError(f"{folder} holds no file that ends in {', '.join(SUFFIXES)}")
    return found


def size(path: Path) -> tuple[int, int]:
    """The rows and columns of a file, by its header. Raises ValueError as the readers do."""
    suffix = path.suffix.lower()
    if suffix == PNG:
        try:
            with Image.open(path) as image:
                return image.height, image.width
        except (UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise ValueError(f"{path} is no PNG: {error}") from error
    shape = _open_npy(path).shape if suffix == NPY else _open_nifti(path).shape[::-1]
    return _rows_and_columns(path, shape)


def read_probability(path: Path) -> NDArray[np.float32]:
    """A probability map, float32 rows x columns within 0 and 1.

    A PNG's 8 or 16 bits are shares of their largest value; the others hold the probabilities.
    Raises ValueError where the file does not decode, is no such image or leaves 0 to 1.
    """
    values = _read(path)
    if path.suffix.lower() == PNG:
        return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    probability = values.astype(np.float32)
    if not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(
            f"{path} has values from {probability.min():g} to {probability.max():g}; a probability "
            "is from 0 to 1: logits need a sigmoid, percents a division, NaN a look at the network"
        )
    return probability


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A mask, rows x columns: true where the file is not 0.

    Raises ValueError where the file does not decode, is no such image or has more than two values.
    """
    return mask_files.set_pixels(_read(path), str(path))


def orientation(path: Path) -> tuple[str, ...] | None:
    """Where a NIfTI file's columns and rows point, as ("R", "A"); None for other files."""
    if path.suffix.lower() in {PNG, NPY}:
        return None
    axes = nibabel.orientations.aff2axcodes(_open_nifti(path).affine)  # type: ignore[no-untyped-call]
    return tuple(axes[:2])


def _read(path: Path) -> NDArray[Any]:
    suffix = path.suffix.lower()
    if suffix == PNG:
        values = _read_png(path)
    elif suffix == NPY:
        values = np.asarray(_open_npy(path))
    else:
        values = _read_nifti(path)
    if values.dtype.kind not in "buif":
        raise ValueError(f"{path} holds {values.dtype}; give real numbers")
    return values.reshape(_rows_and_columns(path, values.shape))


def _rows_and_columns(path: Path, shape: tuple[int, ...]) -> tuple[int, int]:
    """The sides of an image, whatever axes of one element stand around them."""
    sides = list(shape)
    while len(sides) > 2 and 1 in sides:
        # From the ends: a channel or a batch stands there, a side of 1 px in between.
        sides.pop(-1 if sides[-1] == 1 else sides.index(1))
    if len(sides) != 2 or 0 in sides:
        raise ValueError(f"{path} has the shape {shape}; one image has rows and columns")
    return sides[0], sides[1]


def _read_png(path: Path) -> NDArray[Any]:
    decoded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError(f"{path} is no whole PNG")
    return np.asarray(decoded)


def _open_npy(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no whole NumPy file: {error}") from error


def _read_nifti(path: Path) -> NDArray[Any]:
    try:
        # Its first axis runs along x, that is along the columns of an image.
        return np.asarray(_open_nifti(path).dataobj).T
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is no whole NIfTI file: {error}") from error


def _open_nifti(path: Path) -> Any:
    try:
        return nibabel.load(path)
    except (ImageFileError, OSError, EOFError) as error:
        raise ValueError(f"{path} is no NIfTI file: {error}") from error
