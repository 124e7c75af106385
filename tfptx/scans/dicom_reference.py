"""This holds the reference to a DICOM image: what an object that is derived from it has to copy."""

import re
from pathlib import Path

from pydicom import config
from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.valuerep import validate_value

from tfptx import provenance
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
ASCII_SETS = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})  # which pydicom reads as Latin 1
BARE_AGE = re.compile(r"\d{1,3}")  # years, as SIIM writes it
CODES = {"PatientSex": ("M", "F", "O", "")}  # of the attributes whose values are enumerated
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def reference(path: Path, generate_uids: bool) -> Dataset:
    """The identity, patient, study and geometry of an image, with valid values alone.

    Raises ValueError where the file is no image, its PatientID is invalid, or it has no valid UIDs
    and `generate_uids` does not allow those that the file's bytes give: again the same, and no
    other file's, since names of files and invalid UIDs are shared by patients.
    """
    try:
        checksum = provenance.sha256_of_file(path) if generate_uids else None
        return _reference(dicom.read_header(path), checksum)
    except (ValueError, OSError):
        raise
    except (
        Exception
    ) as error:  # what the conversion of a hostile attribute raises is anyone's guess
        raise ValueError(f"damaged DICOM: {plain(str(error))}") from error


def _reference(header: Dataset, checksum: str | None) -> Dataset:
    is_text = _has_known_characters(header)
    _refuse_unknown(header, is_text)
    copied = Dataset()
    copied.file_meta = FileMetaDataset()
    for uid in UIDS:
        setattr(copied, uid, _uid(header, uid, checksum))
    copied.SOPClassUID = header.SOPClassUID
    copied.Modality = str(header.get("Modality") or "OT")
    copied.Rows, copied.Columns = header.Rows, header.Columns
    if is_text:
        copied.SpecificCharacterSet = header.SpecificCharacterSet
    for each in (*MUST_STAND, *MAY_STAND):
        is_needed = each in MUST_STAND
        if each in header and _is_valid(header, each, is_text, may_be_empty=is_needed):
            copied.add(header[each])
        elif is_needed:
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


def _refuse_unknown(header: Dataset, is_text: bool) -> None:
    for each in MUST_BE_KNOWN:
        if not header.get(each) or not _is_valid(header, each, is_text):
            raise ValueError(f"the attribute {each} is missing or invalid")
    if "PatientID" in header and not _is_valid(header, "PatientID", is_text):
        raise ValueError("its PatientID is invalid, and without it the patient would be another")


def _uid(header: Dataset, uid: str, checksum: str | None) -> str:
    found = str(header.get(uid) or "")
    if uids.is_valid(found):
        return found
    if checksum is None:
        raise ValueError(f"its {uid} is {'no valid UID' if found else 'empty'}")
    return uids.of_name(f"{uid}/{checksum}")


def _has_known_characters(header: Dataset) -> bool:
    """Whether it declares more than ASCII (PS3.3, C.12.1.1.2), and what pydicom knows."""
    found = header.get("SpecificCharacterSet")
    names = {found} if isinstance(found, str) else set(found or ())
    return not names <= ASCII_SETS and names <= python_encoding.keys()


def _is_valid(header: Dataset, name: str, is_text: bool, may_be_empty: bool = True) -> bool:
    """Whether an attribute stands with values of its kind and number (PS3.5, 6.2 and 6.4).

    Unless it `is_text` of a known character set, nobody can tell what is beyond ASCII in it.
    """
    try:
        element = header[name]
        if element.VM == 0 or not any(map(str, _values(element))):
            return may_be_empty
        for value in _values(element):
            said = value if element.VR in NUMBERS else str(value)
            validate_value(element.VR, said, config.RAISE)
            if not (may_be_empty or str(value)) or not (is_text or str(value).isascii()):
                return False
            # Validation passes over escapes that no character set has (PS3.5, 6.1.3).
            if _CONTROL.search(str(value)) or value not in CODES.get(name, (value,)):
                return False
    except Exception:  # what a hostile attribute raises where it is converted is anyone's guess
        return False
    fewest, _, most = dictionary_VM(element.tag).partition("-")
    return int(fewest) <= element.VM and (most == "n" or int(most or fewest) >= element.VM)


def _values(element: DataElement) -> list[object]:
    return list(element.value) if element.VM > 1 else [element.value]
