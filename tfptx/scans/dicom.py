"""This holds the reading of DICOM radiographs; nothing else in the project reads them."""

import math
import re
import warnings
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pydicom.config
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit

from tfptx.scans.scan import Scan, refuse_beyond_detectors, to_png

SUFFIXES = frozenset({".dcm", ".dicom", ".dic"})
# What a damaged file lacks is told by the error that it ends in, or did not matter.
warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")
# The competition's own files have non-conformant ages and UIDs, one warning each.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})


def read(path: Path) -> Scan:
    """Read one single-frame grey radiograph as displayed; its id is the file's stem.

    A frame of JPEG Baseline (PS3.5, A.4.1) whose display is the identity is kept byte for byte.
    Everything else is taken through the modality and VOI transforms (PS3.3, C.11.1 and C.11.2),
    stretched to 8 bits and kept as PNG.
    Raises ValueError where the file is no such image or its pixels can't be decoded.
    """
    try:
        dataset = pydicom.dcmread(path)
    except InvalidDicomError as error:
        raise ValueError("no DICOM file: its preamble and prefix are missing") from error
    except Exception as error:  # a damaged file can raise anything in the parser
        raise ValueError(f"damaged DICOM: {_one_line(error)}") from error
    try:
        _refuse_other_objects(dataset)
        frame = _identity_jpeg(dataset)
        return Scan(
            image_id=path.stem,
            image=frame or to_png(_displayed(dataset)),
            image_format="jpeg" if frame else "png",
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
            patient_id=_text(dataset, "PatientID"),
            view=_text(dataset, "ViewPosition"),
            sex=_text(dataset, "PatientSex"),
            age=_age_years(dataset),
            spacing_mm=_spacing_mm(dataset),
        )
    except ValueError:
        raise
    except Exception as error:  # so can the decoders and the conversion of an attribute
        raise ValueError(f"the object can't be decoded: {_one_line(error)}") from error


def _refuse_other_objects(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        raise ValueError("the object holds no pixels")
    for name in ("Rows", "Columns", "BitsAllocated", "PhotometricInterpretation"):
        if dataset.get(name) in {None, "", 0}:
            raise ValueError(f"the attribute {name} is missing")
    if dataset.PhotometricInterpretation not in GREY or dataset.get("SamplesPerPixel", 1) != 1:
        raise ValueError(f"not a grey image but {dataset.PhotometricInterpretation}")
    num_frames = int(dataset.get("NumberOfFrames") or 1)
    if num_frames != 1:
        raise ValueError(f"{num_frames} frames, a radiograph has one")
    refuse_beyond_detectors(dataset.Rows, dataset.Columns)


def _identity_jpeg(dataset: Dataset) -> bytes | None:
    """The encapsulated frame, where it alone decodes to the pixels as displayed."""
    if (
        dataset.file_meta.get("TransferSyntaxUID") != JPEGBaseline8Bit
        or dataset.PhotometricInterpretation != "MONOCHROME2"
        or dataset.BitsStored != 8
        or _says(dataset, "WindowWidth")
        or "VOILUTSequence" in dataset
        or "ModalityLUTSequence" in dataset
        or float(dataset.get("RescaleSlope") or 1) != 1
        or float(dataset.get("RescaleIntercept") or 0) != 0
    ):
        return None
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    # A padding byte after the end marker is DICOM's, not the picture's.
    end = frame.rfind(b"\xff\xd9")
    frame = frame[: end + 2] if end > 0 else frame
    decoded = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("the JPEG frame is damaged or cut")
    if decoded.shape != (dataset.Rows, dataset.Columns):
        raise ValueError(
            f"the frame is {decoded.shape}, the header says {dataset.Rows} x {dataset.Columns}"
        )
    return frame


def _displayed(dataset: Dataset) -> NDArray[np.uint8]:
    # Pillow is named so that every machine reads lossy JPEG alike; it decodes 8-bit frames only.
    is_plain_jpeg = dataset.file_meta.get("TransferSyntaxUID") == JPEGBaseline8Bit
    stored = pixel_array(dataset, decoding_plugin="pillow" if is_plain_jpeg else "")
    values = apply_modality_lut(stored, dataset)
    if "VOILUTSequence" in dataset:
        # The table is indexed by whole numbers, which a float rescale slope hides.
        values = np.rint(values).astype(np.int64)
    values = apply_voi_lut(values, dataset).astype(np.float64)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = values.min() + values.max() - values
    lowest, highest = values.min(), values.max()
    if not np.isfinite([lowest, highest]).all():
        raise ValueError("pixel values are not finite after rescaling")
    shows_all_bits = (
        dataset.BitsStored == 8
        and not _says(dataset, "WindowWidth")
        and 0 <= lowest <= highest <= 255
    )
    if not shows_all_bits:
        values = (values - lowest) * (255 / max(highest - lowest, 1))
    displayed: NDArray[np.uint8] = np.rint(values).astype(np.uint8)
    return displayed


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _says(dataset: Dataset, name: str) -> bool:
    """Whether an attribute has a value; an element may stand empty (PS3.5, 7.4)."""
    return dataset.get(name) not in (None, "")


def _text(dataset: Dataset, name: str) -> str:
    value = dataset.get(name)
    return "" if value is None else str(value).strip()


def _age_years(dataset: Dataset) -> int | None:
    """Patient's Age (0010,1010): `041Y`, or a bare `41` as SIIM writes it."""
    found = re.fullmatch(r"(\d{1,3})(Y?)", _text(dataset, "PatientAge"))
    return int(found[1]) if found else None


def _spacing_mm(dataset: Dataset) -> float | None:
    """The row spacing of Pixel Spacing or, on a projection, Imager Pixel Spacing, in mm.

    None where neither is a positive number; a file may hold one value instead of two.
    """
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            spacing = dataset.get(name)
            spacing_mm = float(spacing[0] if isinstance(spacing, MultiValue) else spacing)
        except (TypeError, ValueError):
            continue
        if 0 < spacing_mm < math.inf:
            return spacing_mm
    return None
