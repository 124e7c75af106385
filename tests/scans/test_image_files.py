import zlib

import cv2
import numpy as np
import pytest

from tfptx.scans import image_files, image_headers
from tfptx.scans.scan import pixels

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12), np.uint8)


def write(path, image):
    assert cv2.imwrite(str(path), image)
    return path


def claiming(rows, columns):
    """A PNG whose header, with its checksum, claims a size that its pixels have not."""
    content = bytearray(cv2.imencode(".png", IMAGE)[1].tobytes())
    content[16:24] = columns.to_bytes(4, "big") + rows.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_grey_file_is_kept_byte_for_byte(tmp_path, suffix):
    path = write(tmp_path / f"scan.{suffix}", IMAGE)
    scan = image_files.read(path)
    assert scan.image == path.read_bytes()
    assert (scan.image_id, scan.rows, scan.columns) == ("scan", 8, 12)


def test_sixteen_bits_become_the_upper_eight(tmp_path):
    path = write(tmp_path / "scan.png", IMAGE.astype(np.uint16) * 256 + 255)
    np.testing.assert_array_equal(pixels(image_files.read(path)), IMAGE)


@pytest.mark.parametrize(("rows", "columns"), [(60_000, 60_000), (10_001, 10_000)])
def test_a_png_that_claims_more_than_any_detector_is_refused(tmp_path, rows, columns):
    (tmp_path / "scan.png").write_bytes(claiming(rows, columns))
    with pytest.raises(ValueError, match=f"{rows} x {columns} pixels are more than"):
        image_files.read(tmp_path / "scan.png")


def test_a_chunk_that_claims_more_than_the_file_has_is_refused(tmp_path):
    content = cv2.imencode(".png", IMAGE)[1].tobytes()
    at = content.index(b"IDAT") - 4
    # OpenCV would fill two GB first.
    claimed = content[:at] + (2**31 - 1).to_bytes(4, "big") + content[at + 4 :]
    (tmp_path / "scan.png").write_bytes(claimed)
    with pytest.raises(ValueError, match="damaged or cut image"):
        image_files.read(tmp_path / "scan.png")


def test_a_png_that_claims_more_than_its_bytes_can_hold_is_refused(tmp_path):
    (tmp_path / "scan.png").write_bytes(claiming(10_000, 10_000))
    with pytest.raises(ValueError, match="damaged image: 10000 x 10000 pixels in"):
        image_files.read(tmp_path / "scan.png")
    # Nothing deflates better than zeros.
    zeros = write(tmp_path / "zeros.png", np.zeros((4000, 5000), np.uint8))
    assert image_files.read(zeros).rows == 4000


@pytest.mark.parametrize(("rows", "columns"), [(60_000, 60_000), (10_001, 10_000)])
def test_a_jpeg_that_claims_more_than_any_detector_is_refused(tmp_path, rows, columns):
    content = cv2.imencode(".jpg", IMAGE)[1].tobytes()
    size = bytes([0, 8, 0, 12])
    assert content.count(size) == 1
    claimed = rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    (tmp_path / "scan.jpg").write_bytes(content.replace(size, claimed))
    with pytest.raises(ValueError, match=f"{rows} x {columns} pixels are more than"):
        image_files.read(tmp_path / "scan.jpg")


def test_a_progressive_jpeg_has_many_scans_and_a_sequential_one_has_not(tmp_path):
    path = tmp_path / "scan.jpg"
    cv2.imwrite(str(path), IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    content = path.read_bytes()
    assert content.count(b"\xff\xda") > 1
    assert image_files.read(path).image == content
    plain = cv2.imencode(".jpg", IMAGE)[1].tobytes()
    scan = plain[plain.index(b"\xff\xda") : -2]
    path.write_bytes(plain[:-2] + scan + plain[-2:])
    # OpenCV takes it, TensorFlow does not.
    with pytest.raises(ValueError, match="damaged or cut JPEG"):
        image_files.read(path)


def test_restarts_fill_bytes_and_what_follows_the_end_do_no_harm(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1].tobytes()
    assert b"\xff\xd1" in encoded
    (tmp_path / "scan.jpg").write_bytes(encoded[:-2] + b"\xff" + encoded[-2:] + b"\0")
    np.testing.assert_array_equal(
        pixels(image_files.read(tmp_path / "scan.jpg")),
        cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED),
    )


@pytest.mark.parametrize("damage", [b"\xff\x47", b"\xff\xe5"])
def test_a_marker_amid_a_scan_is_refused(tmp_path, damage):
    content = cv2.imencode(".jpg", np.tile(IMAGE, (9, 9)))[1].tobytes()
    middle = len(content) * 3 // 4
    (tmp_path / "scan.jpg").write_bytes(content[:middle] + damage + content[middle + 2 :])
    with pytest.raises(ValueError, match="damaged or cut JPEG"):
        image_files.read(tmp_path / "scan.jpg")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no picture", "neither PNG nor JPEG"),
        (image_headers.PNG_START, "damaged or cut"),
        (image_headers.JPEG_START, "damaged or cut"),
    ],
)
def test_what_does_not_decode_is_refused(tmp_path, content, reason):
    (tmp_path / "scan.png").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        image_files.read(tmp_path / "scan.png")


@pytest.mark.parametrize("bits", [9, 10, 12, 15, 16])
def test_the_upper_eight_of_the_bits_that_are_used_remain(tmp_path, bits):
    image = (np.arange(96).reshape(8, 12) * (2**bits - 1) // 95).astype(np.uint16)
    found = pixels(image_files.read(write(tmp_path / "scan.png", image)))
    np.testing.assert_array_equal(found, image >> (bits - 8))
    assert found.max() == 255


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_in_colour_is_refused(tmp_path, suffix):
    colour = np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)
    with pytest.raises(ValueError, match="a picture in colour, not a radiograph"):
        image_files.read(write(tmp_path / f"scan.{suffix}", colour))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_grey_that_was_saved_in_colour_is_grey(tmp_path, suffix):
    grey = cv2.GaussianBlur(np.tile(IMAGE, (6, 6)), (7, 7), 3)
    found = pixels(image_files.read(write(tmp_path / f"scan.{suffix}", np.dstack([grey] * 3))))
    assert np.abs(found.astype(int) - grey).max() <= (0 if suffix == "png" else 12)
