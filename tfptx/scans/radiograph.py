"""This holds what makes a DICOM object a frontal chest radiograph: its tags, never its pixels."""

import re
from typing import Literal

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from tfptx.scans.plain_text import plain

# What is taken: frontal chest radiographs, those of any view, or radiographs of anything.
Take = Literal["frontal", "chest", "radiograph"]

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
DIRECTORY = "1.2.840.10008.1.3.10"
RADIOGRAPHY = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, for presentation
        SECONDARY_CAPTURE,
    }
)
MODALITIES = frozenset({"CR", "DX", "DR", "RG"})  # DR is none of the standard's, but common
CAPTURED = frozenset({"OT", "SC", ""})  # of a Secondary Capture; its other tags have to tell
CHEST = frozenset({"CHEST", "THORAX", "TORAX", "LUNG", "LUNGS"})
CHEST_CODES = frozenset({"51185008", "43799004", "816094009", "T-D3000"})  # SNOMED: thorax, chest
FRONTAL = frozenset({"PA", "AP"})
# ViewCodeSequence (PS3.16, CID 4010), by today's codes and by those of SNOMED RT before them.
FRONTAL_CODES = frozenset(
    {"399348003", "R-10206", "272479007", "R-40888", "R-10214", "399033003", "R-10202"}
)  # antero-posterior, postero-anterior, frontal
_CHEST_TEXT = re.compile(r"chest|thora|torax|tórax|cxr|lung", re.IGNORECASE)
_FRONTAL_TEXT = re.compile(r"\b(?:pa|ap|p\.a\.|a\.p\.|frontal)\b", re.IGNORECASE)
_LATERAL_TEXT = re.compile(r"\b(?:lat|lateral|seitlich|profil|oblique)\b", re.IGNORECASE)
# Of one image; a study's description may tell of several, as "chest PA and lateral".
_IMAGE_TEXTS = ("SeriesDescription", "AcquisitionDeviceProcessingDescription", "ProtocolName")


def why_left(header: Dataset, take: Take) -> str:
    """Why an object is not taken, empty where it is.

    A radiograph is told by its SOP class and Modality (PS3.3, C.7.3.1.1.1), the chest by Body Part
    Examined, else the anatomic region or descriptions. A view is told by View Position, else its
    code, else Patient Orientation, else descriptions; where nothing tells it, it counts as frontal.
    """
    return (
        _why_no_radiograph(header)
        or ("" if take == "radiograph" else _why_no_chest(header))
        or ("" if take != "frontal" else _why_not_frontal(header))
    )


def _why_no_radiograph(header: Dataset) -> str:
    kind = _text(header, "SOPClassUID") or _media_kind(header)
    if kind == DIRECTORY:
        return "a directory of files (DICOMDIR), no image"
    if kind == FOR_PROCESSING:
        return "pixels for processing, not as they are displayed"
    if kind not in RADIOGRAPHY:
        return f"no radiograph but {plain(UID(kind).name) or 'an object without SOP class'}"
    modality = _text(header, "Modality").upper()
    if modality in MODALITIES:
        return ""
    if kind == SECONDARY_CAPTURE and modality in CAPTURED:
        if _views(header):
            return ""
        return "a secondary capture whose tags tell of no radiograph: no modality, no view"
    return f"modality {plain(modality) or 'unknown'}, not {', '.join(sorted(MODALITIES))}"


def _media_kind(header: Dataset) -> str:
    """The SOP class in the file's meta information; a directory has none elsewhere."""
    return str(getattr(header, "file_meta", {}).get("MediaStorageSOPClassUID") or "")


def _why_no_chest(header: Dataset) -> str:
    if part := _text(header, "BodyPartExamined").upper():
        return "" if part in CHEST else f"body part {plain(part)}, not the chest"
    if codes := _codes(header, "AnatomicRegionSequence"):
        return "" if codes & CHEST_CODES else f"anatomic region {plain(min(codes))}, not the chest"
    if any(_CHEST_TEXT.search(_text(header, name)) for name in ("StudyDescription", *_IMAGE_TEXTS)):
        return ""
    return "no tag tells of the chest: no body part, anatomic region or description"


def _why_not_frontal(header: Dataset) -> str:
    if positions := _views(header):
        names = ", ".join(sorted(positions))
        return "" if positions <= FRONTAL else f"view {plain(names)}, not PA or AP"
    if codes := _codes(header, "ViewCodeSequence"):
        return "" if codes & FRONTAL_CODES else f"view code {plain(min(codes))}, not frontal"
    rows = _values(header, "PatientOrientation")[:1]
    # A frontal image's rows run to the patient's left or right (PS3.3, C.7.6.1.1.1).
    if rows and rows[0][:1] in {"A", "P"}:
        return f"rows towards {plain(rows[0])}: a lateral view"
    text = " ".join(_text(header, name) for name in _IMAGE_TEXTS)
    if (found := _LATERAL_TEXT.search(text)) and not _FRONTAL_TEXT.search(text):
        return f"described as {found[0].lower()}"
    return ""


def _views(header: Dataset) -> set[str]:
    return {view for view in _values(header, "ViewPosition") if view}


def _codes(header: Dataset, name: str) -> set[str]:
    items = header.get(name)
    return {_text(item, "CodeValue") for item in items or () if isinstance(item, Dataset)} - {""}


def _values(header: Dataset, name: str) -> list[str]:
    value = header.get(name)
    values = value if isinstance(value, MultiValue) else [] if value is None else [value]
    return [str(each).strip().upper() for each in values]


def _text(header: Dataset, name: str) -> str:
    return " ".join(str(header.get(name) or "").split())
