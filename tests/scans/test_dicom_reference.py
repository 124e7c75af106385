import pydicom
import pytest

from tests.scans.make_dicom import REMOVED, write
from tfptx.scans import dicom_reference, uids


def test_identity_patient_study_and_geometry_are_copied(tmp_path):
    path = write(
        tmp_path / "scan.dcm",
        SpecificCharacterSet="ISO_IR 192",
        PatientName="\u042f\u0301^Ivan",
        StudyDescription="Chest",
        PixelSpacing=["0.15", "0.2"],
    )
    source, copied = pydicom.dcmread(path), dicom_reference.reference(path, "scan", False)
    for name in ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "PatientName", "PatientAge"):
        assert copied[name].value == source[name].value
    assert copied.PixelSpacing == [0.15, 0.2]
    assert copied.PatientOrientation == ["L", "F"]
    assert copied.StudyDate == ""
    assert "PixelData" not in copied


@pytest.mark.parametrize(
    ("attributes", "spacing"),
    [
        ({"PixelSpacing": REMOVED, "ImagerPixelSpacing": ["0.1", "0.1"]}, [0.1, 0.1]),
        ({"PixelSpacing": REMOVED, "PixelAspectRatio": ["4", "3"]}, None),
        ({"PixelSpacing": ["0.123456789012", "0.1"]}, [0.123456789, 0.1]),
        ({"PixelSpacing": "0.2"}, [0.2, 0.2]),
    ],
)
def test_a_spacing_is_the_imagers_where_there_is_no_other(tmp_path, attributes, spacing):
    copied = dicom_reference.reference(write(tmp_path / "scan.dcm", **attributes), "scan", False)
    assert copied.get("PixelSpacing") == spacing


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_values_of_another_kind_are_left_out(tmp_path):
    path = write(
        tmp_path / "scan.dcm", PatientAge="42", PatientSex="mostly f", StudyDate="yesterday"
    )
    copied = dicom_reference.reference(path, "scan", False)
    assert copied.PatientAge == "042Y"
    assert copied.PatientSex == ""
    assert copied.StudyDate == ""


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"StudyInstanceUID": ""}, "its StudyInstanceUID is empty"),
        ({"SeriesInstanceUID": REMOVED}, "its SeriesInstanceUID is empty"),
        ({"SOPInstanceUID": "../../ID_1"}, "its SOPInstanceUID is no valid UID"),
    ],
)
def test_invalid_uids_are_refused_unless_others_are_asked_for(tmp_path, attributes, message):
    path = write(tmp_path / "scan.dcm", **attributes)
    with pytest.raises(ValueError, match=message):
        dicom_reference.reference(path, "scan", False)
    copied = dicom_reference.reference(path, "scan", True)
    (name,) = attributes
    assert uids.is_valid(copied[name].value)
    assert copied == dicom_reference.reference(path, "scan", True)
    others = set(dicom_reference.UIDS) - {name}
    source = pydicom.dcmread(path)
    assert all(copied[other].value == source[other].value for other in others)
