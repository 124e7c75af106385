import cv2
import numpy as np
import pydicom
import pytest

from tfptx.scans import dicom
from tfptx.scans.phantom import dicom_file
from tfptx.scans.scan import pixels

HEADER = dicom_file.Header("2.25.1", "2.25.2", "2.25.3", "patient", "F", 41, "PA", 0.15, 1)


@pytest.fixture
def path(tmp_path):
    """A file in the competition's form whose grey levels are 60 to 179."""
    image = np.random.default_rng(0).integers(60, 180, (16, 24)).astype(np.uint8)
    dicom_file.write(tmp_path / "scan.dcm", image, HEADER)
    return tmp_path / "scan.dcm"


def with_attributes(path, **attributes):
    dataset = pydicom.dcmread(path)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return dicom.read(path)


def test_a_plain_jpeg_frame_is_kept_byte_for_byte(path):
    scan = dicom.read(path)
    frame = next(
        pydicom.encaps.generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    )
    assert scan.image_format == "jpeg"
    assert scan.image == frame.rstrip(b"\0")
    assert (scan.patient_id, scan.sex, scan.age, scan.view) == ("patient", "F", 41, "PA")


@pytest.mark.parametrize(
    ("spacing", "spacing_mm"),
    [(["0.2", "0.3"], 0.2), ("0.2", 0.2), (["0", "0"], None), ("-1", None), ("", None)],
)
def test_a_spacing_is_the_first_of_its_values_where_that_is_positive(path, spacing, spacing_mm):
    assert with_attributes(path, PixelSpacing=spacing).spacing_mm == spacing_mm


@pytest.mark.parametrize(
    ("attributes", "aspect"),
    [
        ({"PixelSpacing": ["0.3", "0.2"]}, 1.5),
        ({"PixelSpacing": ["0", "0"], "ImagerPixelSpacing": ["0.1", "0.2"]}, 0.5),
        ({"PixelSpacing": None, "PixelAspectRatio": ["4", "3"]}, 4 / 3),
        ({"PixelSpacing": ["0.2", "0.2"], "PixelAspectRatio": ["4", "3"]}, 1.0),
        ({"PixelSpacing": "0.2", "PixelAspectRatio": ["1", "0"]}, 1.0),
    ],
)
def test_pixels_that_are_no_squares_stay_and_are_told(path, attributes, aspect):
    plain = dicom.read(path)
    scan = with_attributes(path, **attributes)
    assert scan.pixel_aspect == pytest.approx(aspect)
    assert scan.image == plain.image
    if scan.spacing_mm is not None:
        assert scan.pixel_mm2 == pytest.approx(scan.spacing_mm * scan.spacing_mm / aspect)


def test_an_imager_spacing_stands_in(path):
    scan = with_attributes(path, PixelSpacing="0", ImagerPixelSpacing=["0.14", "0.14"])
    assert scan.spacing_mm == 0.14


def test_a_spacing_that_is_no_number_is_none(path):
    content = path.read_bytes()
    assert content.count(b"0.150000\\0.150000") == 1
    path.write_bytes(content.replace(b"0.150000\\0.150000", b"about a fifth mm "))
    assert dicom.read(path).spacing_mm is None


class PanicException(BaseException):
    pass


def test_a_panic_of_a_decoder_is_a_value_error_but_ctrl_c_is_not(path, monkeypatch):
    def fail(dataset):
        raise raised

    monkeypatch.setattr(dicom, "_age_years", fail)
    raised = PanicException("index out of bounds")
    with pytest.raises(ValueError, match="can't be decoded: index out of bounds"):
        dicom.read(path)
    raised = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        dicom.read(path)


def test_an_attribute_that_fails_outside_the_pixels_is_a_value_error(path, monkeypatch):
    def fail(dataset):
        raise TypeError("no such\nconversion")

    monkeypatch.setattr(dicom, "_age_years", fail)
    with pytest.raises(ValueError, match=r"can't be decoded: no such conversion$"):
        dicom.read(path)


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_window_is_none(path, empty):
    plain = dicom.read(path)
    scan = with_attributes(path, WindowWidth=empty, WindowCenter=empty)
    assert "WindowWidth" in pydicom.dcmread(path)
    assert (scan.image_format, scan.image) == ("jpeg", plain.image)
    # Inverted, the frame is written anew, but not stretched.
    inverted = pixels(with_attributes(path, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(inverted, 255 - pixels(plain))


def test_a_window_is_applied(path):
    levels = pixels(dicom.read(path)).astype(float)
    scan = with_attributes(path, WindowWidth="41", WindowCenter="120.5")
    assert scan.image_format == "png"
    # PS3.3, C.11.2.1.2.1, with c - 0.5 = 120 and w - 1 = 40.
    expected = np.clip((levels - 120) / 40 + 0.5, 0, 1) * 255
    np.testing.assert_allclose(pixels(scan), expected, atol=0.51)


def test_a_window_of_all_eight_bits_leaves_the_frame_as_it_is(path):
    plain = dicom.read(path).image
    assert with_attributes(path, WindowWidth="256", WindowCenter="128").image == plain
    assert with_attributes(path, WindowWidth="256", WindowCenter="127").image_format == "png"


@pytest.mark.parametrize("cut", [2, 40])
def test_a_frame_without_its_end_is_refused(path, cut):
    dataset = pydicom.dcmread(path)
    frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = pydicom.encaps.encapsulate([frame.rstrip(b"\0")[:-cut]])
    dataset.save_as(path)
    # OpenCV would paint the rest in grey.
    with pytest.raises(ValueError, match="damaged or cut JPEG: no marker at byte"):
        dicom.read(path)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_file_that_was_cut_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="no pixels, or was cut before their end"):
        dicom.read(path)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_header_that_was_cut_anywhere_is_no_fault_of_the_storage(path):
    dataset = pydicom.dcmread(path)
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "51185008", "SCT", "Thorax"
    dataset.AnatomicRegionSequence = [item]
    dataset["AnatomicRegionSequence"].is_undefined_length = True
    dataset.save_as(path)
    content, refused = path.read_bytes(), set()
    for num_bytes in range(content.index(b"Thorax") + 40):
        path.write_bytes(content[:num_bytes])
        try:
            dicom.read_header(path)
        except ValueError as error:
            refused.add(str(error))
    assert "damaged DICOM: No tag to read at file position" in " ".join(refused)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "not a grey image but RGB"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "not a grey image but PALETTE COLOR"),
        ({"NumberOfFrames": 2}, "2 frames, a radiograph has one"),
        ({"Modality": "RTDOSE"}, "not a radiograph but an object of modality RTDOSE"),
        ({"BitsStored": 1}, "1 bits a pixel, a radiograph has 2 to 16"),
        ({"Rows": None}, "the attribute Rows is missing"),
    ],
)
def test_an_object_of_another_kind_is_refused_with_the_reason(path, attributes, reason):
    with pytest.raises(ValueError, match=reason):
        with_attributes(path, **attributes)


def test_an_image_larger_than_any_detectors_is_refused(path):
    with pytest.raises(ValueError, match="20000 x 20000 pixels are more than any detector's"):
        with_attributes(path, Rows=20_000, Columns=20_000)


def test_a_frame_of_another_size_than_the_header_is_refused(path):
    assert cv2.imdecode(np.frombuffer(dicom.read(path).image, np.uint8), -1).shape == (16, 24)
    with pytest.raises(ValueError, match=r"the frame is \(16, 24\), the header says 16 x 25"):
        with_attributes(path, Columns=25)
