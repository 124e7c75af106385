import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.scans.make_dicom import REMOVED, write
from tfptx.scans import dicom, radiograph

DX = "1.2.840.10008.5.1.4.1.1.1.1"
CODED = {"BodyPartExamined": "", "ViewPosition": ""}


def coded(value):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", "x"
    return Sequence([item])


def why_left(tmp_path, take="frontal", **attributes):
    path = write(tmp_path / "scan.dcm", **attributes)
    return radiograph.why_left(dicom.read_header(path), take)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"SOPClassUID": DX, "Modality": "DX", "ViewPosition": "AP"},
        {"Modality": "OT"},
        {"BodyPartExamined": "THORAX"},
        {"BodyPartExamined": "", "StudyDescription": "XR Chest PA and lateral"},
        {"BodyPartExamined": REMOVED, "AnatomicRegionSequence": coded("51185008")},
        {"ViewPosition": ""},
        {"ViewPosition": REMOVED, "ViewCodeSequence": coded("272479007")},
        {"ViewPosition": "", "SeriesDescription": "PA, lateral to follow"},
    ],
)
def test_a_frontal_chest_radiograph_is_taken(tmp_path, attributes):
    assert why_left(tmp_path, **attributes) == ""


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "no radiograph but CT Image Storage"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "pixels for processing"),
        ({"SOPClassUID": "1.2.840.10008.1.3.10"}, "a directory of files"),
        ({"Modality": "US"}, "modality US, not CR, DR, DX, RG"),
        ({"Modality": "OT", "ViewPosition": ""}, "a secondary capture whose tags tell of no"),
        ({"SOPClassUID": DX, "Modality": "OT"}, "modality OT, not CR"),
        ({"BodyPartExamined": "HIP"}, "body part HIP, not the chest"),
        ({"BodyPartExamined": "", "AnatomicRegionSequence": coded("1")}, "anatomic region 1, not"),
        ({"BodyPartExamined": ""}, "no tag tells of the chest"),
        ({"ViewPosition": "LL"}, "view LL, not PA or AP"),
        ({"ViewPosition": ["PA", "LL"]}, "view LL, PA, not PA or AP"),
        ({"ViewPosition": "", "ViewCodeSequence": coded("399067008")}, "view code 399067008"),
        ({"ViewPosition": "", "PatientOrientation": ["A", "F"]}, "rows towards A: a lateral view"),
        ({"ViewPosition": "", "SeriesDescription": "Chest lateral"}, "described as lateral"),
    ],
)
def test_another_object_is_left_with_the_reason(tmp_path, attributes, reason):
    assert why_left(tmp_path, **attributes).startswith(reason)


@pytest.mark.parametrize(
    ("take", "attributes", "is_taken"),
    [
        ("chest", {"ViewPosition": "LL"}, True),
        ("chest", {"BodyPartExamined": "HIP"}, False),
        ("radiograph", {"BodyPartExamined": "HIP", "ViewPosition": "LL"}, True),
        ("radiograph", {"Modality": "US"}, False),
    ],
)
def test_more_is_taken_where_it_is_asked_for(tmp_path, take, attributes, is_taken):
    assert (why_left(tmp_path, take, **attributes) == "") is is_taken


def test_a_reason_has_no_line_or_terminal_code_of_a_tag(tmp_path):
    reason = why_left(tmp_path, BodyPartExamined="HIP\x1b[2J" + "x" * 5000)
    assert reason.isprintable()
    assert len(reason) < 300


def test_the_real_radiographs_are_taken_and_the_others_are_not(real_data):
    taken = {
        path.stem: radiograph.why_left(dicom.read_header(path), "frontal") == ""
        for folder in ("nih_dicom", "siim_gt_dicom", "tough_dicom")
        for path in sorted((real_data / folder).rglob("*.dcm"))
    }
    assert sum(taken.values()) == 4
    assert [name for name in taken if name.startswith("WG04") and taken[name]] == ["WG04_RG1_J2KI"]
