"""This holds the display of DICOM's grey values: from what is stored to 8 bits (PS3.4, N.2)."""

import math

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_modality_lut, apply_voi

DISPLAY_BITS, DISPLAY_MAX = 8, 255
MAX_BITS = 16  # of a radiograph's pixel
BLOCK_PX = 4_000_000
# Every index that a table of 16 bits, signed or not, can start at or end with.
LUT_INDICES = np.arange(-(2**15), 2**17)

LARGEST_VALUE = 1e12  # after rescaling; beyond it float64 tells no levels apart

Levels = NDArray[np.int64]
Values = NDArray[np.float64]


def displayed(stored: NDArray[np.generic], dataset: Dataset) -> NDArray[np.uint8]:
    """Show stored values of up to 16 bits, rows x columns, as `dataset` asks: uint8, 0 is black.

    First the modality transform (PS3.3, C.11.1), then the VOI LUT, else the first window
    (C.11.2). Where there is neither, 8 bits keep all their levels, and more bits are stretched
    over the levels that are there, padding aside. MONOCHROME1 is inverted; padding is black.
    Raises ValueError where an attribute has no such value as the standard asks for.
    """
    lowest, highest = int(stored.min()), int(stored.max())
    levels = np.arange(lowest, highest + 1)
    # A table of the levels takes a tenth of the time of every pixel's own arithmetic. It is made
    # and read by blocks of rows, since indices of a whole image take 8 bytes a pixel, twice.
    blocks = np.array_split(stored, max(1, stored.size // BLOCK_PX))
    num_pixels = np.zeros(len(levels), np.int64)
    for block in blocks:
        num_pixels += np.bincount((block.astype(np.int64) - lowest).ravel(), minlength=len(levels))
    table = _shown(levels, num_pixels > 0, dataset)
    return np.concatenate([table[block.astype(np.int64) - lowest] for block in blocks])


def is_identity(dataset: Dataset) -> bool:
    """Whether unsigned 8-bit pixels are displayed as they are stored."""
    if dataset.BitsStored != DISPLAY_BITS or dataset.get("PixelRepresentation"):
        return False
    levels = _levels_of_display_bits(dataset)
    return np.array_equal(_shown(levels, np.ones(len(levels), np.bool_), dataset), levels)


def _shown(levels: Levels, is_present: NDArray[np.bool_], dataset: Dataset) -> NDArray[np.uint8]:
    """How each level is shown; `is_present` says which of them the image has."""
    is_padding = _is_padding(levels, dataset)
    values = _rescaled(levels, dataset)
    if dataset.get("VOILUTSequence"):
        share = _tabled(values, dataset)
    elif _says(dataset, "WindowWidth"):
        share = _windowed(values, dataset)
    else:
        is_seen = is_present & ~is_padding
        seen = values[is_seen if is_seen.any() else is_present]
        if dataset.BitsStored == DISPLAY_BITS:
            seen = _rescaled(_levels_of_display_bits(dataset), dataset)
        share = (values - seen.min()) / (np.ptp(seen) or 1)
        # What lies outside is padding, which is drawn below, or bits that are not stored.
        share = np.clip(share, 0, 1)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        share = 1 - share
    shown: NDArray[np.uint8] = np.rint(share * DISPLAY_MAX).astype(np.uint8)
    shown[is_padding] = 0
    return shown


def _is_padding(levels: Levels, dataset: Dataset) -> NDArray[np.bool_]:
    """The levels of Pixel Padding Value (PS3.3, C.7.5.1.1.2), up to its Range Limit if any."""
    if not _says(dataset, "PixelPaddingValue"):
        return np.zeros(len(levels), np.bool_)
    bounds = [int(_first(dataset, "PixelPaddingValue"))]
    if _says(dataset, "PixelPaddingRangeLimit"):
        bounds.append(int(_first(dataset, "PixelPaddingRangeLimit")))
    if dataset.get("PixelRepresentation"):
        # Writers put the two's complement of signed padding under the unsigned representation.
        sign = 1 << (dataset.BitsAllocated - 1)
        bounds = [(bound + sign) % (2 * sign) - sign for bound in bounds]
    return (levels >= min(bounds)) & (levels <= max(bounds))


def _rescaled(levels: Levels, dataset: Dataset) -> Values:
    if dataset.get("ModalityLUTSequence"):
        return apply_modality_lut(levels, dataset).astype(np.float64)
    slope = _first(dataset, "RescaleSlope") if _says(dataset, "RescaleSlope") else 1.0
    intercept = _first(dataset, "RescaleIntercept") if _says(dataset, "RescaleIntercept") else 0.0
    if slope == 0:
        raise ValueError("RescaleSlope is 0, which leaves no image")
    with np.errstate(over="ignore"):
        values: Values = levels.astype(np.float64) * slope + intercept
    if not np.abs(values).max() <= LARGEST_VALUE:
        raise ValueError(f"RescaleSlope {slope:g} and intercept {intercept:g} fit no radiograph")
    return values


def _tabled(values: Values, dataset: Dataset) -> Values:
    """The share of the display's range that the first VOI LUT gives."""
    # The table is indexed by whole numbers, which a fractional slope hides.
    indices = np.rint(np.clip(values, LUT_INDICES[0], LUT_INDICES[-1])).astype(np.int64)
    whole_table = apply_voi(LUT_INDICES, dataset)
    # Some writers claim 16 bits for entries of 12, which would leave the image near black.
    top = (1 << int(whole_table.max()).bit_length()) - 1
    if not top:
        raise ValueError("its VOI LUT shows every value as black")
    return apply_voi(indices, dataset).astype(np.float64) / top


def _windowed(values: Values, dataset: Dataset) -> Values:
    """The share of the display's range that the first window gives (PS3.3, C.11.2.1)."""
    if not _says(dataset, "WindowCenter"):
        raise ValueError("WindowWidth stands without WindowCenter")
    center, width = _first(dataset, "WindowCenter"), _first(dataset, "WindowWidth")
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    if width < 1 if function == "LINEAR" else width <= 0:
        raise ValueError(f"WindowWidth is {width:g}, too small for a {function} window")
    if function == "LINEAR":
        if width == 1:
            return (values > center - 0.5).astype(np.float64)
        return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0, 1)
    if function == "SIGMOID":
        # Beyond 700 the exponential overflows; its share is 0 or 1 long before.
        return 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    raise ValueError(f"VOILUTFunction is {function!r}, not LINEAR, LINEAR_EXACT or SIGMOID")


def _levels_of_display_bits(dataset: Dataset) -> Levels:
    lowest = -(1 << (DISPLAY_BITS - 1)) if dataset.get("PixelRepresentation") else 0
    return np.arange(lowest, lowest + (1 << DISPLAY_BITS))


def _says(dataset: Dataset, name: str) -> bool:
    """Whether an attribute has a value; an element may stand empty (PS3.5, 7.4)."""
    return dataset.get(name) not in (None, "")


def _first(dataset: Dataset, name: str) -> float:
    """The first of an attribute's values, as a finite number."""
    value = dataset.get(name)
    number = float(value[0] if isinstance(value, MultiValue) else value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}, not a finite number")
    return number
