"""This holds the reading of DICOM radiographs; nothing else in the project reads them."""

import io
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pydicom.config
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from tfptx.scans import codec, dicom_claims, display, image_headers, image_ids, samples
from tfptx.scans.plain_text import cell, plain
from tfptx.scans.scan import ImageFormat, Scan, refuse_beyond_detectors, refuse_large_file

SUFFIXES = image_ids.DICOM_SUFFIXES
# What a damaged file lacks is told by the error that it ends in, or did not matter.
warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")
# The competition's own files have non-conformant ages and UIDs, one warning each.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

PREFIX_AT, PREFIX = 128, b"DICM"
START_OF_SCAN = b"\xff\xda"
GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
NO_RADIOGRAPHS = frozenset({"RTDOSE", "SEG"})  # grey pixels that are doses or masks
FEWEST_BITS = 2
UNITS_A_YEAR = {"": 1, "Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing")
Image = tuple[bytes, ImageFormat, str]  # with its sample


def is_one(path: Path) -> bool:
    """Whether a file begins as a DICOM file does (PS3.10, 7.1)."""
    with path.open("rb") as file:
        return file.read(PREFIX_AT + len(PREFIX))[PREFIX_AT:] == PREFIX


def read(path: Path) -> Scan:
    """Read one single-frame grey radiograph as displayed; its id is the file's stem.

    A frame of JPEG Baseline (PS3.5, A.4.1) whose display is the identity is kept byte for byte.
    Everything else is kept as PNG of the pixels as displayed. Pixels that are no squares stay as
    they are, since masks are drawn on them; their aspect is told.
    Raises ValueError where the file is no such image or its pixels can't be decoded.
    """
    dataset = _parse(path, stop_before_pixels=False)
    try:
        _refuse_other_objects(dataset)
        image, image_format, sample = _identity_jpeg(dataset) or _drawn(dataset)
        return Scan(
            image_id=image_ids.of_file(path),
            image=image,
            image_format=image_format,
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
            patient_id=_text(dataset, "PatientID"),
            view=_text(dataset, "ViewPosition"),
            sex=_text(dataset, "PatientSex"),
            age=_age_years(dataset),
            spacing_mm=_spacing_mm(dataset),
            pixel_aspect=_pixel_aspect(dataset),
            sample=sample,
        )
    except ValueError:
        raise
    except BaseException as error:  # so can the decoders and the conversion of an attribute
        # The decoder of RLE is written in Rust, whose panics are no Exceptions.
        if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        raise ValueError(f"the object can't be decoded: {plain(str(error))}") from error


def read_header(path: Path) -> Dataset:
    """The attributes of any DICOM object before its pixels.

    Raises ValueError where the file is none, damaged, or larger than any radiograph's.
    """
    return _parse(path, stop_before_pixels=True)


def _parse(path: Path, stop_before_pixels: bool) -> Dataset:
    refuse_large_file(path)
    try:
        with _Guarded(io.FileIO(str(path))) as file:
            return pydicom.dcmread(file, stop_before_pixels=stop_before_pixels)
    except InvalidDicomError as error:
        raise ValueError("no DICOM file: its preamble and prefix are missing") from error
    except OSError:
        raise
    except Exception as error:  # a damaged file can raise anything in the parser
        raise ValueError(f"damaged DICOM: {plain(str(error))}") from error


class _Guarded(io.BufferedReader):
    """A file whose rest, which pydicom asks for only to inflate it, has bounds then."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Give the next bytes. Raises ValueError where the rest would inflate beyond any file."""
        content = super().read(size)
        if size is None or size < 0:
            dicom_claims.refuse_inflation(content)
        return content


def _refuse_other_objects(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        raise ValueError("the object holds no pixels, or was cut before their end")
    for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "PhotometricInterpretation"):
        if dataset.get(name) in {None, "", 0}:
            raise ValueError(f"the attribute {name} is missing")
    if dataset.PhotometricInterpretation not in GREY or dataset.get("SamplesPerPixel", 1) != 1:
        raise ValueError(f"not a grey image but {plain(str(dataset.PhotometricInterpretation))}")
    if dataset.get("Modality") in NO_RADIOGRAPHS:
        raise ValueError(f"not a radiograph but an object of modality {dataset.Modality}")
    if not FEWEST_BITS <= dataset.BitsStored <= display.MAX_BITS:
        raise ValueError(f"{dataset.BitsStored} bits a pixel, a radiograph has 2 to 16")
    num_frames = int(dataset.get("NumberOfFrames") or 1)
    if num_frames != 1:
        raise ValueError(f"{num_frames} frames, a radiograph has one")
    refuse_beyond_detectors(dataset.Rows, dataset.Columns)


def _identity_jpeg(dataset: Dataset) -> Image | None:
    """The encapsulated frame, where its pixels are the pixels as displayed."""
    if dataset.file_meta.get("TransferSyntaxUID") != JPEGBaseline8Bit:
        return None
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    header = image_headers.jpeg(frame)
    if not display.is_identity(dataset):
        return None
    # A padding byte after the end marker is DICOM's, not the picture's.
    frame = frame[: header.num_bytes]
    shape = (header.rows, header.columns)
    _refuse_other_shape(shape if header.components == 1 else (*shape, header.components), dataset)
    return frame, "jpeg", samples.of_jpeg(frame, header)


def _drawn(dataset: Dataset) -> Image:
    """The pixels as displayed, as PNG."""
    shown = _displayed(dataset)
    return codec.to_png(shown), "png", samples.of_pixels(shown)


def _displayed(dataset: Dataset) -> NDArray[np.uint8]:
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is not None and syntax.is_encapsulated:
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        dicom_claims.refuse_frame(frame, dataset.Rows, dataset.Columns, dataset.BitsStored)
        if syntax == JPEGExtended12Bit:
            dataset.PixelData = encapsulate([_with_sequential_scan(frame)])
    # Pillow is named so that every machine reads lossy JPEG alike; it decodes 8-bit frames only.
    stored = pixel_array(dataset, decoding_plugin="pillow" if syntax == JPEGBaseline8Bit else "")
    _refuse_other_shape(stored.shape, dataset)
    return display.displayed(stored, dataset)


def _with_sequential_scan(frame: bytes) -> bytes:
    """A JPEG whose first scan says, as a sequential one has to, that it holds all 64 coefficients.

    Some writers leave 0 as its last one (ITU-T T.81, B.2.3), over which libjpeg stumbles.
    """
    scan = frame.find(START_OF_SCAN)
    last = scan + 6 + 2 * frame[scan + 4] if 0 <= scan < len(frame) - 4 else len(frame)
    return frame[:last] + bytes([63]) + frame[last + 1 :] if last < len(frame) else frame


def _refuse_other_shape(shape: tuple[int, ...], dataset: Dataset) -> None:
    if shape != (dataset.Rows, dataset.Columns):
        raise dicom_claims.other_shape(shape, dataset.Rows, dataset.Columns)


def _text(dataset: Dataset, name: str) -> str:
    """An attribute as text that is safe in a csv, where all of them end up."""
    value = dataset.get(name)
    if isinstance(value, MultiValue):
        value = "\\".join(map(str, value))
    return "" if value is None else cell(str(value))


def _age_years(dataset: Dataset) -> int | None:
    """Patient's Age (0010,1010), in whole years: `041Y`, `006M`, or a bare `41` as SIIM has it."""
    found = re.fullmatch(r"(\d{1,3})([DWMY]?)", _text(dataset, "PatientAge"))
    return int(int(found[1]) / UNITS_A_YEAR[found[2]]) if found else None


def _spacing_mm(dataset: Dataset) -> float | None:
    """The row spacing of Pixel Spacing or, on a projection, Imager Pixel Spacing, in mm.

    None where neither is a positive number; a file may hold one value instead of two.
    """
    for name in SPACINGS:
        if (spacing_mm := _positive(dataset, name, 0)) is not None:
            return spacing_mm
    return None


def spacings_mm(dataset: Dataset) -> tuple[float, float] | None:
    """The distances of rows and of columns in mm, None where no attribute tells them."""
    between_rows = _spacing_mm(dataset)
    return None if between_rows is None else (between_rows, between_rows / _pixel_aspect(dataset))


def _pixel_aspect(dataset: Dataset) -> float:
    """A pixel's height over its width: of its spacing, else Pixel Aspect Ratio (0028,0034)."""
    for name in (*SPACINGS, "PixelAspectRatio"):
        height, width = _positive(dataset, name, 0), _positive(dataset, name, 1)
        if height is not None and width is not None:
            return height / width
    return 1.0


def _positive(dataset: Dataset, name: str, position: int) -> float | None:
    """One of an attribute's values, where it is a positive number."""
    try:
        value = dataset.get(name)
        values = value if isinstance(value, MultiValue) else [value]
        number = float(values[position])
    except (TypeError, ValueError, IndexError):
        return None
    # What is no number above 0 in the record's float32 means unknown there.
    return number if 0 < np.float32(number) < math.inf else None
