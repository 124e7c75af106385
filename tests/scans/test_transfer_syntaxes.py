"""Radiographs in every transfer syntax: real ones, and generated ones where pydicom encodes."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from tfptx.scans import dicom
from tfptx.scans.phantom import dicom_file
from tfptx.scans.scan import pixels

# What pydicom would correct without a word, it warns of; the reader ignores that, pytest does not.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
HEADER = dicom_file.Header("2.25.1", "2.25.2", "2.25.3", "patient", "F", 41, "PA", 0.15, 1)
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)


def write(path, stored, bits_stored, syntax):
    """A file of `stored` values, whole numbers of at most 16 bits."""
    dicom_file.write(path, np.zeros(stored.shape, np.uint8), HEADER)
    dataset = pydicom.dcmread(path)
    dataset.BitsAllocated, dataset.BitsStored = 8 * stored.itemsize, bits_stored
    dataset.HighBit, dataset.PixelRepresentation = bits_stored - 1, int(stored.dtype.kind == "i")
    is_big_endian = syntax == ExplicitVRBigEndian
    native = syntax if syntax in NATIVE else ExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = native
    dataset.PixelData = stored.astype(
        stored.dtype.newbyteorder(">" if is_big_endian else "<")
    ).tobytes()
    dataset["PixelData"].VR = "OW" if stored.itemsize == 2 else "OB"
    dataset["PixelData"].is_undefined_length = False
    if syntax not in NATIVE:
        dataset.compress(syntax, generate_instance_uid=False)
    pydicom.dcmwrite(
        path,
        dataset,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=not is_big_endian,
        force_encoding=True,
    )


@pytest.mark.parametrize(
    "syntax", [*NATIVE, RLELossless, JPEG2000Lossless], ids=lambda uid: uid.name
)
@pytest.mark.parametrize(
    ("dtype", "bits"),
    [(np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16), (np.int16, 16)],
)
def test_what_was_encoded_is_shown(tmp_path, syntax, dtype, bits):
    lowest = -(1 << (bits - 1)) if np.issubdtype(dtype, np.signedinteger) else 0
    random = np.random.default_rng(bits)
    stored = random.integers(lowest, lowest + (1 << bits), (40, 70)).astype(dtype)
    stored.flat[:2] = lowest, lowest + (1 << bits) - 1
    write(tmp_path / "scan.dcm", stored, bits, syntax)
    found = pixels(dicom.read(tmp_path / "scan.dcm"))
    expected = np.rint((stored.astype(float) - lowest) * 255 / ((1 << bits) - 1))
    np.testing.assert_array_equal(found, expected)


def test_bits_above_those_stored_are_no_part_of_the_image(tmp_path):
    stored = np.random.default_rng(0).integers(0, 1 << 10, (6, 8)).astype(np.uint16)
    write(tmp_path / "plain.dcm", stored, 10, ExplicitVRLittleEndian)
    # An overlay may lie there (PS3.3, C.9.2, retired).
    overlay = np.tile(np.array([0, 1 << 12], np.uint16), (6, 4))
    write(tmp_path / "overlaid.dcm", stored | overlay, 10, ExplicitVRLittleEndian)
    np.testing.assert_array_equal(
        pixels(dicom.read(tmp_path / "overlaid.dcm")), pixels(dicom.read(tmp_path / "plain.dcm"))
    )


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_one_image_of_pydicom_is_the_same_in_every_coding(name):
    plain = pixels(dicom.read(of_pydicom("MR_small.dcm")))
    np.testing.assert_array_equal(pixels(dicom.read(of_pydicom(name))), plain)


def of_pydicom(name):
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"this pydicom comes without {name}")
    return Path(found)


def test_an_extended_jpeg_whose_scan_claims_one_coefficient_is_read():
    mended = dicom.read(of_pydicom("JPEG-lossy.dcm"))
    assert (mended.rows, mended.columns) == (1024, 256)


# Grey levels of 255: the largest difference of one pixel, and the mean over the image.
LARGEST, MEAN = {"J2KI": 22, "JLSN": 1, "JPLY": 26}, {"J2KI": 0.3, "JLSN": 0.6, "JPLY": 0.9}


@pytest.mark.parametrize("coding", ["J2KI", "J2KR", "JLSL", "JLSN", "JPLL", "JPLY", "RLE"])
def test_a_real_radiograph_is_the_same_picture_in_every_coding(real_data, coding):
    folder = real_data / "tough_dicom"
    plain = pixels(dicom.read(folder / "WG04_RG2_UNC.dcm")).astype(int)
    found = pixels(dicom.read(folder / f"WG04_RG2_{coding}.dcm"))
    difference = np.abs(found - plain)
    assert difference.max() <= LARGEST.get(coding, 0)
    assert difference.mean() <= MEAN.get(coding, 0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fodicom_GH1376.dcm", "less than expected"),
        ("fodicom_GH220.dcm", "holds no pixels"),
        ("fodicom_GH538-jpeg1.dcm", "not a grey image but YBR_FULL"),
        ("fodicom_HasFragmentSequence.dcm", "96 frames"),
        ("fodicom_genFile.dcm", "damaged or cut"),
        ("pydicom_MR_truncated.dcm", "less than expected"),
        ("pydicom_examples_palette.dcm", "not a grey image but PALETTE COLOR"),
    ],
)
def test_a_real_object_of_another_kind_is_refused(real_data, name, reason):
    with pytest.raises(ValueError, match=reason):
        dicom.read(real_data / "tough_dicom" / name)
