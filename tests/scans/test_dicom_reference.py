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
    source, copied = pydicom.dcmread(path), dicom_reference.reference(path, False)
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
    copied = dicom_reference.reference(write(tmp_path / "scan.dcm", **attributes), False)
    assert copied.get("PixelSpacing") == spacing


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_values_of_another_kind_are_left_out(tmp_path):
    path = write(
        tmp_path / "scan.dcm", PatientAge="42", PatientSex="mostly f", StudyDate="yesterday"
    )
    copied = dicom_reference.reference(path, False)
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
        dicom_reference.reference(path, False)
    copied = dicom_reference.reference(path, True)
    (name,) = attributes
    assert uids.is_valid(copied[name].value)
    assert copied == dicom_reference.reference(path, True)
    others = set(dicom_reference.UIDS) - {name}
    source = pydicom.dcmread(path)
    assert all(copied[other].value == source[other].value for other in others)


def test_uids_of_ours_are_no_other_files(tmp_path):
    """Names of files and invalid UIDs are shared by patients."""
    found = []
    for patient_id in ("A", "B"):
        lacking = dict.fromkeys(dicom_reference.UIDS, "unknown")
        path = write(tmp_path / "IM0001", PatientID=patient_id, **lacking)
        copied = dicom_reference.reference(path, True)
        found += [copied[name].value for name in dicom_reference.UIDS]
    assert len(set(found)) == 2 * len(dicom_reference.UIDS)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_control_codes_and_unknown_codes_are_left_out(tmp_path):
    path = write(tmp_path / "scan.dcm", StudyDescription="\x1b[31mred\x07", PatientSex="X")
    copied = dicom_reference.reference(path, False)
    assert "StudyDescription" not in copied
    assert copied.PatientSex == ""
