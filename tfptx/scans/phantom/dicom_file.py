"""This holds the writing of one phantom as DICOM, in the form of the competition's files."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGBaseline8Bit, SecondaryCaptureImageStorage

JPEG_QUALITY = 93  # gives files of the competition's size, 110 to 160 KB


@dataclass(frozen=True)
class Header:
    """What a file says beside its pixels; `spacing_mm` is one pixel's side."""

    study_uid: str
    series_uid: str
    image_uid: str
    patient_id: str
    sex: str
    age: int
    view: str
    spacing_mm: float
    number: int


def write(path: Path, image: NDArray[np.uint8], header: Header) -> None:
    """Write a Secondary Capture (PS3.3, A.8.1) whose frame is `image`, uint8, as JPEG Baseline."""
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"an image of shape {image.shape} can't be written as JPEG")
    frame = encoded.tobytes()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(header.image_uid)
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset = FileDataset(str(path), Dataset(), preamble=bytes(128), file_meta=meta)
    _identify(dataset, header)
    _describe(dataset, image, header)
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{image.size / len(frame):.3f}"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def _identify(dataset: Dataset, header: Header) -> None:
    """Patient, study, series and equipment; what must stand but is unknown stays empty."""
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = header.image_uid
    dataset.StudyInstanceUID = header.study_uid
    dataset.SeriesInstanceUID = header.series_uid
    for name in ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"):
        setattr(dataset, name, "")
    dataset.PatientName = header.patient_id
    dataset.PatientID = header.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = header.sex
    dataset.PatientAge = f"{header.age:03d}Y"
    dataset.Modality = "CR"
    dataset.ConversionType = "SYN"  # synthetic image
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = header.number
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = header.view


def _describe(dataset: Dataset, image: NDArray[np.uint8], header: Header) -> None:
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ["L", "F"]
    dataset.BurnedInAnnotation = "YES"  # side markers
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.shape
    dataset.PixelSpacing = [f"{header.spacing_mm:.6f}"] * 2
    dataset.BitsAllocated = 8
    dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
