"""One damaged input of each kind, drawn from a seed, and what has to hold for it.

A reader may refuse with ValueError or OSError. What it takes has to be right: an image of the size
that the scan says, and a mask that a reader of other make draws from the same bytes.
"""

import csv
import io
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.data import get_testdata_file

from tests.scans import mutations
from tfptx.scans import (
    annotations,
    dicom,
    dicom_reference,
    folds,
    given_folds,
    image_files,
    intake,
    mask_files,
    plain_text,
    rle,
    uids,
)
from tfptx.scans.phantom import dicom_file
from tfptx.scans.scan import Scan, pixels

ROWS, COLUMNS = 12, 17
REFUSALS = (ValueError, OSError)
HEADER = dicom_file.Header("2.25.1", "2.25.2", "2.25.3", "patient", "F", 41, "PA", 0.15, 1)
OF_PYDICOM = (
    *("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    *("MR_small_bigendian.dcm", "MR_small_implicit.dcm", "JPEG-lossy.dcm", "JPGExtended.dcm"),
    *("JPEGLSNearLossless_16.dcm", "J2K_pixelrep_mismatch.dcm", "image_dfl.dcm", "CT_small.dcm"),
)
# Values that an attribute may not have, or may but seldom has.
ATTRIBUTES = {
    "Rows": (0, 1, 65535),
    "Columns": (0, 1, 65535),
    "BitsAllocated": (0, 1, 7, 8, 12, 16, 32, 64),
    "BitsStored": (0, 1, 7, 8, 10, 16, 255),
    "HighBit": (0, 7, 15, 200),
    "PixelRepresentation": (0, 1, 2),
    "SamplesPerPixel": (0, 1, 3),
    "PlanarConfiguration": (0, 1, 7),
    "NumberOfFrames": ("0", "1", "2", "99999999", "-1"),
    "PhotometricInterpretation": ("MONOCHROME1", "RGB", "", "monochrome2"),
    "WindowWidth": ("0", "-1", "1", "1e300", ["5", "9"], ""),
    "WindowCenter": ("0", "-1e300", ["5", "9"], ""),
    "VOILUTFunction": ("SIGMOID", "LINEAR_EXACT", "?"),
    "RescaleSlope": ("0", "1e308", "-1", "0.001"),
    "RescaleIntercept": ("-1024", "1e308"),
    "PixelPaddingValue": (0, 255, 65535),
    "PixelSpacing": (["0", "0"], ["0.1", "0.3"], "7", ["1", "2", "3"]),
    "PixelAspectRatio": (["0", "0"], ["1", "2"]),
    "PatientAge": ("999Y", "0x1", ""),
    "ViewPosition": ("PA\\AP", "A" * 200),
    "Modality": ("SEG", ""),
}


class Sources:
    """The whole files that inputs are made from: generated ones, pydicom's, and real ones."""

    def __init__(self, folder: Path, real_data: Path | None) -> None:
        image = np.random.default_rng(0).integers(0, 256, (40, 56)).astype(np.uint8)
        dicom_file.write(folder / "phantom.dcm", image, HEADER)
        found = (get_testdata_file(name, download=False) for name in OF_PYDICOM)
        paths = [folder / "phantom.dcm", *(Path(path) for path in found if path)]
        self.images = [cv2.imencode(suffix, image)[1].tobytes() for suffix in (".png", ".jpg")]
        self.csvs = [_a_csv(seed) for seed in range(4)]
        if real_data is not None:
            paths += sorted((real_data / "siim_stage2_dicom").glob("*.dcm"))[:8]
            tough = sorted((real_data / "tough_dicom").glob("*.dcm"))
            paths += [path for path in tough if path.stat().st_size < 2_000_000]
            self.images += [
                path.read_bytes()
                for path in sorted((real_data / "siim_gt_images_256").rglob("*.*"))[:4]
            ]
            for path in sorted((real_data / "csv").glob("*.csv")):
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                self.csvs.append("".join(lines[:25]))
        self.dicoms = [path.read_bytes() for path in paths]
        self.work = folder / "work"
        self.work.mkdir()


def a_dicom(sources: Sources, draw: random.Random) -> None:
    """A damaged DICOM is refused, or gives an image of the size that its scan says."""
    content = draw.choice(sources.dicoms)
    path = sources.work / "scan.dcm"
    path.write_bytes(mutations.damaged(content, draw))
    _read(dicom.read, path)


def an_attribute(sources: Sources, draw: random.Random) -> None:
    """A whole DICOM of which one to three attributes are others."""
    dataset = pydicom.dcmread(io.BytesIO(draw.choice(sources.dicoms)))
    for name in draw.sample(sorted(ATTRIBUTES), draw.randint(1, 3)):
        setattr(dataset, name, draw.choice(ATTRIBUTES[name]))
    path = sources.work / "scan.dcm"
    try:
        dataset.save_as(path)
    except Exception:
        return
    _read(dicom.read, path)


def an_image(sources: Sources, draw: random.Random) -> None:
    """A damaged PNG or JPEG is refused, or gives an image of the size that its scan says."""
    path = sources.work / "scan.png"
    path.write_bytes(mutations.damaged(draw.choice(sources.images), draw, header_bytes=60))
    _read(image_files.read, path)


def an_arrival(sources: Sources, draw: random.Random) -> None:
    """A damaged file of any kind and name is a scan or left, and is referred to or is not."""
    content = mutations.damaged(draw.choice([*sources.dicoms, *sources.images]), draw)
    path = sources.work / draw.choice(["IM0001", "scan.dcm", "scan.png", "=1.txt"])
    path.write_bytes(content)
    try:
        (file,) = intake.find([path])
        content_of_file = intake.read(file, draw.choice(["frontal", "chest", "radiograph"]))
        if isinstance(content_of_file, Scan):
            assert pixels(content_of_file).shape == (content_of_file.rows, content_of_file.columns)
        else:
            assert content_of_file.reason
            assert content_of_file.reason == plain_text.plain(content_of_file.reason, 300)
        try:
            found = dicom_reference.reference(path, "scan", generate_uids=True)
        except REFUSALS:
            return
        assert all(uids.is_valid(found[name].value) for name in dicom_reference.UIDS)
    finally:
        path.unlink()


def a_mask_file(sources: Sources, draw: random.Random) -> None:
    """A damaged PNG mask is refused, or is the mask that was drawn."""
    mask = np.random.default_rng(draw.getrandbits(32)).random((ROWS, COLUMNS)) < 0.3
    folder = sources.work / "masks"
    folder.mkdir(exist_ok=True)
    content = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()
    (folder / "a.png").write_bytes(mutations.damaged(content, draw, header_bytes=60))
    try:
        found = mask_files.find(folder).mask("a", ROWS, COLUMNS)
    except REFUSALS:
        return
    np.testing.assert_array_equal(found, mask)


def a_csv(sources: Sources, draw: random.Random) -> None:
    """A damaged csv is refused, or each mask is the one that its rows name."""
    path = sources.work / "masks.csv"
    text = mutations.damaged_text(draw.choice(sources.csvs), draw)
    path.write_text(text, encoding="utf-8", newline="")
    rows, columns = draw.choice(((ROWS, COLUMNS), (1024, 1024)))
    try:
        annotated = annotations.read(path)
    except REFUSALS:
        return
    expected = dict(_masks(text, rows, columns))
    assert set(annotated.ids) == set(expected)
    for image_id in annotated.ids:
        try:
            found = annotated.mask(image_id, rows, columns)
        except REFUSALS:
            found = None
        if expected[image_id] is None:
            assert found is None, image_id
        else:
            assert found is not None, image_id
            np.testing.assert_array_equal(np.flatnonzero(found.T), expected[image_id])


def a_table(sources: Sources, draw: random.Random) -> None:
    """A damaged csv of folds or patients is refused or read."""
    text = "id,fold\n" + "".join(f"i{at}.png,{at % 3}\n" for at in range(9))
    path = sources.work / "table.csv"
    path.write_text(mutations.damaged_text(text, draw), encoding="utf-8", newline="")
    for read in (given_folds.read, folds.read_groups):
        try:
            read(path)
        except REFUSALS:
            continue


def a_build(sources: Sources, draw: random.Random) -> None:
    """A folder with damaged files and a damaged csv is refused whole, or no scan is unaccounted."""
    from tfptx.records import build, manifest, verify  # noqa: PLC0415 - TensorFlow takes seconds

    folder = Path(tempfile.mkdtemp(dir=sources.work))
    (folder / "images").mkdir()
    for at in range(6):
        # The generated ones come first and are small.
        content = draw.choice(sources.images[:2] if at % 2 else sources.dicoms[:1])
        if draw.random() < 0.4:
            content = mutations.damaged(content, draw)
        (folder / "images" / f"i{at}.{'png' if at % 2 else 'dcm'}").write_bytes(content)
    text = draw.choice(sources.csvs[:4])
    if draw.random() < 0.5:
        text = mutations.damaged_text(text, draw)
    (folder / "masks.csv").write_text(text, encoding="utf-8", newline="")
    options = build.Options(num_folds=2, is_strict=draw.random() < 0.2, seed=draw.randrange(9))
    records = folder / "records"
    try:
        built = build.build(
            folder / "images", folder / "masks.csv", None, records, options, lambda share: None
        )
    except REFUSALS:
        assert not records.exists()
        return
    finally:
        shutil.rmtree(folder / "images")
    assert sum(shard.examples for shard in built.shards) + built.skipped == 6
    assert verify.verify(records, lambda share: None) == []
    drawn = manifest.read_examples(records)
    expected = dict(_masks(text, 40, 56))
    for image_id, mask_px in zip(drawn["image_id"], drawn["mask_px"], strict=True):
        pixels_of = expected[image_id]
        assert pixels_of is not None
        assert mask_px == len(pixels_of)


KINDS: dict[str, Callable[[Sources, random.Random], None]] = {
    "dicom": a_dicom,
    "attribute": an_attribute,
    "image": an_image,
    "arrival": an_arrival,
    "mask": a_mask_file,
    "csv": a_csv,
    "table": a_table,
    "build": a_build,
}


def _read(read: Callable[[Path], Scan], path: Path) -> None:
    try:
        scan = read(path)
    except REFUSALS:
        return
    assert pixels(scan).shape == (scan.rows, scan.columns)
    assert np.isfinite(scan.pixel_aspect)


def _a_csv(seed: int) -> str:
    random_bits = np.random.default_rng(seed)
    rows = [
        f"i{at % 6},{rle.encode(random_bits.random((ROWS, COLUMNS)) < share)}\n"
        for at, share in enumerate((0.0, 0.02, 0.1, 0.3, 0.0, 0.9, 0.01, 0.2))
    ]
    return "ImageId, EncodedPixels\n" + "".join(rows)


def _masks(text: str, rows: int, columns: int) -> Iterator[tuple[str, list[int] | None]]:
    """Each image's pixels down the columns, None where a row is faulty, by another reader."""
    header, *table = [
        [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text.lstrip("\ufeff")))
    ]
    at_id, at_rle = header.index("ImageId"), header.index("EncodedPixels")
    texts: dict[str, list[str]] = {}
    for row in table:
        cells = row + [""] * (len(header) - len(row))
        if any(cells):
            name = cells[at_id]
            for suffix in (".dcm", ".dicom", ".dic", ".png", ".jpg", ".jpeg"):
                if name.lower().endswith(suffix) and len(name) > len(suffix):
                    name = name[: -len(suffix)]
                    break
            texts.setdefault(name, []).append(cells[at_rle])
    for name, parts in texts.items():
        masks = [_pixels_of(part, rows * columns) for part in parts]
        is_whole = all(mask is not None for mask in masks)
        yield name, sorted({at for mask in masks for at in mask or ()}) if is_whole else None


def _pixels_of(text: str, num_pixels: int) -> list[int] | None:
    numbers = text.split()
    if numbers in ([], ["-1"]):
        return []
    if len(numbers) % 2 or not all(number.lstrip("+-").isdecimal() for number in numbers):
        return None
    at, found = 0, []
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        if int(gap) < 0 or int(length) < 1 or at + int(gap) + int(length) > num_pixels:
            return None
        at += int(gap)
        found += range(at, at + int(length))
        at += int(length)
    return found
