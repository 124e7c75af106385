import logging
import shutil
import subprocess

import numpy as np
import pydicom
import pytest

from tests.scans.make_dicom import REMOVED, SHAPE, write
from tfptx.scans import uids
from tfptx.scans.intake import File
from tfptx.serving.model_identity import ModelIdentity

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: tfptx[dicom-seg]")
from tfptx.serving import dicom_seg  # noqa: E402 - it imports highdicom

MODEL = ModelIdentity("lungs", "3", "c0ffee" * 10)


@pytest.fixture
def mask():
    """A mask that is alike under no flip or turn."""
    made = np.zeros(SHAPE, bool)
    made[3:20, 40:90] = True
    made[15:60, 5:9] = True
    return made


def file(path):
    return File(path, path.name, path.stem)


def problems(path):
    """What dciodvfy finds wrong."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("no dciodvfy: apt-get install dicom3tools")
    told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    assert "Segmentation" in told.stderr.splitlines()
    return [line for line in told.stderr.splitlines() if line.startswith("Error")]


def test_a_mask_is_read_back_by_the_source_it_refers_to(tmp_path, mask):
    source = write(tmp_path / "scan.dcm", PixelSpacing=["0.15", "0.2"])
    dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, MODEL)
    radiograph, read = pydicom.dcmread(source), hd.seg.segread(tmp_path / "seg.dcm")
    pixels = read.get_pixels_by_source_instance([radiograph.SOPInstanceUID])
    np.testing.assert_array_equal(pixels[0, :, :, 0], mask)
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "seg.dcm").pixel_array, mask)
    for name in ("StudyInstanceUID", "PatientID", "PatientName", "PatientAge", "StudyDate"):
        assert read[name].value == radiograph[name].value, name
    assert read.SeriesInstanceUID != radiograph.SeriesInstanceUID
    (series,) = read.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == radiograph.SeriesInstanceUID
    assert [each.ReferencedSOPInstanceUID for each in series.ReferencedInstanceSequence] == [
        radiograph.SOPInstanceUID
    ]
    (segment,) = read.SegmentSequence
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("lungs", "3")
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "36118008"
    measures = read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.PixelSpacing == [0.15, 0.2]


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"PatientOrientation": REMOVED, "PatientAge": "41"},
        {"PixelSpacing": REMOVED, "ImagerPixelSpacing": ["0.1", "0.1"]},
        {"PixelSpacing": REMOVED},
        {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "\u5c71\u7530^\u592a\u90ce"},
        {"PatientName": "one word", "PatientSex": "?", "StudyDate": "today", "PatientID": "x" * 90},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "Modality": "DX"},
    ],
)
def test_it_is_a_valid_object_whatever_the_source_says(tmp_path, mask, attributes):
    source = write(tmp_path / "scan.dcm", **attributes)
    dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, MODEL)
    assert problems(tmp_path / "seg.dcm") == []
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    np.testing.assert_array_equal(read.pixel_array, mask)
    if "SpecificCharacterSet" in attributes:
        assert read.PatientName == attributes["PatientName"]
    measures = read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    is_known = attributes.get("PixelSpacing") is not REMOVED or "ImagerPixelSpacing" in attributes
    assert ("PixelSpacing" in measures) is is_known


def test_one_source_and_model_have_one_segmentation(tmp_path, mask):
    source = write(tmp_path / "scan.dcm")
    found = set()
    for model in (MODEL, MODEL, ModelIdentity("lungs", "4", "another")):
        dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, model)
        read = pydicom.dcmread(tmp_path / "seg.dcm")
        found.add((read.SOPInstanceUID, read.SeriesInstanceUID))
    assert len(found) == 2
    assert all(map(uids.is_valid, sum(found, ())))


def test_a_source_without_valid_uids_is_refused_unless_others_are_asked_for(tmp_path, mask):
    source = write(tmp_path / "scan.dcm", StudyInstanceUID="")
    with pytest.raises(ValueError, match="its StudyInstanceUID is empty"):
        dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, MODEL)
    assert list(tmp_path.iterdir()) == [source]
    dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, MODEL, generate_uids=True)
    assert problems(tmp_path / "seg.dcm") == []


def test_no_patient_is_named_in_a_log(tmp_path, mask, caplog, capfd):
    source = write(tmp_path / "scan.dcm", PatientName="Doe Jane 1970", PatientSex="strange")
    with caplog.at_level(logging.DEBUG, logger="tfptx"):
        dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, MODEL)
    assert "Doe" not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_real_radiographs_have_valid_segmentations(real_data, tmp_path):
    sources = [
        real_data / "tough_dicom" / "WG04_RG1_J2KI.dcm",
        *sorted((real_data / "nih_dicom").rglob("*.dcm")),
        *sorted((real_data / "siim_stage2_dicom").rglob("*.dcm"))[:2],
    ]
    for source in sources:
        header = pydicom.dcmread(source, stop_before_pixels=True)
        mask = np.random.default_rng(0).random((header.Rows, header.Columns)) < 0.5
        dicom_seg.write(tmp_path / "seg.dcm", file(source), mask, MODEL, generate_uids=True)
        assert problems(tmp_path / "seg.dcm") == [], source
        np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "seg.dcm").pixel_array, mask)
