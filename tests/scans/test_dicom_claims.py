import io
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.scans.make_dicom import write
from tfptx.scans import dicom, dicom_claims, image_headers, scan

MEBIBYTE = 2**20


def bomb(path, num_bytes):
    """A deflated DICOM of some kilobytes that inflates to `num_bytes` and more."""
    dataset = pydicom.dcmread(write(path))
    dataset.decompress()
    dataset.PixelData = dataset.PixelData
    private = dataset.private_block(0x11, "TEST", create=True)
    private.add_new(1, "OB", bytes(num_bytes))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def encapsulated(path, syntax, frame, rows, columns):
    dataset = pydicom.dcmread(write(path))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.Rows, dataset.Columns = rows, columns
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)
    return path


def j2k_header(rows, columns, samples=1):
    size = struct.pack(">HHIIIIIIIIH", 38 + 3 * samples, 0, columns, rows, *[0] * 6, samples)
    return image_headers.J2K_START + size + bytes(4000)


def peak_of(read, path):
    """The bytes that Python took at most until the file was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"."):
            read(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", [dicom.read, dicom.read_header])
def test_a_deflated_file_is_inflated_within_bounds_only(tmp_path, monkeypatch, read):
    small = bomb(tmp_path / "small.dcm", 1000)
    read(small)
    large = bomb(tmp_path / "large.dcm", 64 * MEBIBYTE)
    assert large.stat().st_size < MEBIBYTE
    monkeypatch.setattr(dicom_claims, "MAX_FILE_BYTES", 16 * MEBIBYTE)
    with pytest.raises(ValueError, match="inflate to more than 16777216 bytes"):
        read(large)
    assert peak_of(read, large) < 8 * MEBIBYTE


@pytest.mark.parametrize("read", [dicom.read, dicom.read_header])
def test_a_file_beyond_any_radiographs_is_not_read(tmp_path, monkeypatch, read):
    path = write(tmp_path / "scan.dcm")
    monkeypatch.setattr(scan, "MAX_FILE_BYTES", 1000)
    with pytest.raises(ValueError, match="bytes are more than any radiograph's"):
        read(path)


@pytest.mark.parametrize(
    ("syntax", "frame", "said"),
    [
        (JPEG2000Lossless, j2k_header(60_000, 60_000), "(60000, 60000)"),
        (JPEG2000Lossless, j2k_header(64, 96, samples=900), "(64, 96, 900)"),
        (
            JPEGLSLossless,
            b"\xff\xd8\xff\xf7\x00\x0b\x08\xea\x60\xea\x60\x01\x01\x11\x00" + bytes(4000),
            "(60000, 60000)",
        ),
    ],
)
def test_a_frame_of_another_size_is_refused_before_it_is_decoded(tmp_path, syntax, frame, said):
    path = encapsulated(tmp_path / "scan.dcm", syntax, frame, 64, 96)
    with pytest.raises(ValueError, match=r"the frame is .* the header says 64 x 96") as raised:
        dicom.read(path)
    assert said in str(raised.value)
    assert peak_of(dicom.read, path) < MEBIBYTE


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_pixels_far_beyond_their_frame_are_refused(tmp_path, syntax):
    path = encapsulated(tmp_path / "scan.dcm", syntax, j2k_header(9000, 9000), 9000, 9000)
    with pytest.raises(ValueError, match="9000 x 9000 pixels in"):
        dicom.read(path)
    assert peak_of(dicom.read, path) < MEBIBYTE


def test_the_sizes_of_real_codings_are_read(real_data):
    for path in sorted((real_data / "tough_dicom").glob("WG04_RG2_J*.dcm")):
        dataset = pydicom.dcmread(path)
        frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
        assert image_headers.coded_size(frame) == (dataset.Rows, dataset.Columns, 1), path


def test_the_size_of_a_jpeg_and_of_nothing():
    encoded = cv2.imencode(".jpg", np.zeros((5, 7), np.uint8))[1].tobytes()
    assert image_headers.coded_size(encoded) == (5, 7, 1)
    assert image_headers.coded_size(b"") is None
    assert image_headers.coded_size(b"\xff\xd8\xff\xd9") is None


def test_the_bound_of_inflation_is_on_all_of_it(monkeypatch):
    monkeypatch.setattr(dicom_claims, "MAX_FILE_BYTES", 5 * MEBIBYTE)
    for num_bytes in (5 * MEBIBYTE, 5 * MEBIBYTE + 1):
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = io.BytesIO(deflater.compress(bytes(num_bytes)) + deflater.flush()).getvalue()
        if num_bytes > dicom_claims.MAX_FILE_BYTES:
            with pytest.raises(ValueError, match="inflate"):
                dicom_claims.refuse_inflation(content)
        else:
            dicom_claims.refuse_inflation(content)
