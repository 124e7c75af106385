"""This holds the reference to a DICOM image: what an object that is derived from it has to copy."""

import re
from pathlib import Path

from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.valuerep import validate_value

from tfptx.scans import dicom, uids
from tfptx.scans.plain_text import plain

# PS3.3: C.7.1.1, C.7.2.1 and C.7.2.2; those that must stand, empty where they are unknown.
MUST_STAND = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
MAY_STAND = (
    *("PatientAge", "PatientSize", "PatientWeight", "StudyDescription", "IssuerOfPatientID"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"),
    *("FrameOfReferenceUID", "PositionReferenceIndicator", "PatientOrientation"),
)
MUST_BE_KNOWN = ("SOPClassUID", "Rows", "Columns")
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
NUMBERS = frozenset({"US", "FD", "FL"})  # value representations that hold no text
BARE_AGE = re.compile(r"\d{1,3}")  # years, as SIIM writes it


def reference(path: Path, name: str, generate_uids: bool) -> Dataset:
    """The identity, patient, study and geometry of an image, with valid values alone.

    Raises ValueError where the file is no image, or has no valid UIDs and `generate_uids` does not
    allow those that the invalid ones, or else the image's `name`, give: again the same.
    """
    try:
        return _reference(dicom.read_header(path), name, generate_uids)
    except (ValueError, OSError):
        raise
    except (
        Exception
    ) as error:  # what the conversion of a hostile attribute raises is anyone's guess
        raise ValueError(f"damaged DICOM: {plain(str(error))}") from error


def _reference(header: Dataset, name: str, generate_uids: bool) -> Dataset:
    for each in MUST_BE_KNOWN:
        if not header.get(each) or not _is_valid_element(header, each):
            raise ValueError(f"the attribute {each} is missing or invalid")
    copied = Dataset()
    copied.file_meta = FileMetaDataset()
    for uid in UIDS:
        setattr(copied, uid, _uid(header, uid, name, generate_uids))
    copied.SOPClassUID = header.SOPClassUID
    copied.Modality = str(header.get("Modality") or "OT")
    copied.Rows, copied.Columns = header.Rows, header.Columns
    if _is_valid_element(header, "SpecificCharacterSet"):
        copied.SpecificCharacterSet = header.SpecificCharacterSet
    for each in (*MUST_STAND, *MAY_STAND):
        if each in header and _is_valid_element(header, each):
            copied.add(header[each])
        elif each in MUST_STAND:
            setattr(copied, each, "")
    age = str(header.get("PatientAge") or "").strip()
    if BARE_AGE.fullmatch(age):
        copied.PatientAge = f"{int(age):03d}Y"
    if (spacing := dicom.spacings_mm(header)) is not None:
        copied.PixelSpacing = [f"{each:.10g}" for each in spacing]  # DS has 16 characters
    return copied


def instance_uid(path: Path) -> str:
    """The SOP Instance UID of a file, empty where it is no DICOM or has none that is valid."""
    try:
        found = str(dicom.read_header(path).get("SOPInstanceUID") or "")
    except OSError:
        raise
    except Exception:  # as in `reference`; who reads the image is told why
        return ""
    return found if uids.is_valid(found) else ""


def _uid(header: Dataset, uid: str, name: str, generate_uids: bool) -> str:
    found = str(header.get(uid) or "")
    if uids.is_valid(found):
        return found
    if not generate_uids:
        raise ValueError(f"its {uid} is {'no valid UID' if found else 'empty'}")
    return uids.of_name(f"{uid}/{found or name}")


def _is_valid_element(header: Dataset, name: str) -> bool:
    """Whether an attribute stands with values of its kind (PS3.5, 6.2)."""
    try:
        element = header[name]
        values = element.value if element.VM > 1 else [element.value]
        for value in values:
            if value is not None:
                said = value if element.VR in NUMBERS else str(value)
                validate_value(element.VR, said, config.RAISE)
    except Exception:  # what a hostile attribute raises where it is converted is anyone's guess
        return False
    return True
