import io
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

from tests.conftest import REPOSITORY
from tests.pipeline.make_records import build_records
from tfptx.records import manifest, schema, spool
from tfptx.records.entry import Entry, MaskRuns
from tfptx.records.schema import serialise
from tfptx.scans import codec, rle, sources
from tfptx.scans.scan import Scan

PAGE = (REPOSITORY / "tfrecords" / "README.md").read_text()
DTYPES = {tf.string: "string", tf.int64: "int64", tf.float32: "float32"}


@pytest.fixture(scope="module")
def plain_reader():
    """What the format's page tells others to read with."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for line in code.splitlines() if line and not line.startswith(("import", "def"))]
    assert len(lines) == 10
    names = {}
    exec(code, names)
    return names["read"]


def test_the_format_page_names_every_feature_with_its_dtype_and_unit():
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in PAGE.partition("| feature |")[2].partition("\n\n")[0].splitlines()[2:]
    ]
    expected = [
        [
            f"`{name}`",
            DTYPES[spec.dtype] + " list" * isinstance(spec, tf.io.RaggedFeature),
        ]
        for name, spec in schema.FEATURES.items()
    ]
    assert [row[:2] for row in rows] == expected
    assert all(unit and meaning for *_, unit, meaning in rows)


def test_the_format_page_describes_every_column_of_the_tables():
    tables = PAGE.partition("## The tables")[2].partition("## A reader")[0]
    names = {*manifest.COLUMNS, *manifest.SKIPPED_COLUMNS, *manifest.Shard.model_fields}
    names |= set(manifest.Manifest.model_fields) - {"schema_version", "shards"}
    names -= {"annotated_without_image"}  # in words
    assert [name for name in names if f"`{name}`" not in tables] == []


def test_the_format_page_is_of_this_schema_and_tells_its_history():
    assert f"# The record format, schema {manifest.SCHEMA}\n" in PAGE
    told = re.findall(r"^- (\d+): ", PAGE.partition("## History")[2], re.MULTILINE)
    assert told == [str(version) for version in range(1, manifest.SCHEMA + 1)]


def test_the_reader_of_the_page_sees_what_ours_sees(plain_reader, tmp_path):
    folder = build_records(tmp_path, num_positives=4, num_negatives=5)
    files = [str(folder / shard.file) for shard in manifest.read(folder).shards]
    dataset = tf.data.TFRecordDataset(files)
    seen = 0
    for serialised, (image, mask) in zip(dataset, dataset.map(plain_reader), strict=True):
        example = schema.parse(serialised)
        ours = schema.decode_image(example["image"], example["image_format"])
        np.testing.assert_array_equal(image, ours)
        np.testing.assert_array_equal(mask, schema.decode_mask(example))
        seen += int(tf.reduce_max(mask))
    assert seen == 4


def test_the_frames_of_real_dicoms_are_kept_and_decode_to_the_pixels_of_pydicom(
    plain_reader, real_data
):
    paths = sources.find(real_data / "siim_stage2_dicom")
    assert len(paths) == 300
    for path in paths:
        dataset = pydicom.dcmread(path)
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        serialised = serialise(sources.read(path), 0, None)
        kept = schema.parse(serialised)["image"].numpy()
        # An odd frame has one byte of padding (PS3.5, A.4).
        assert frame in {kept, kept + b"\0"}
        image, _ = plain_reader(serialised)
        expected = pixel_array(dataset, decoding_plugin="pillow")
        np.testing.assert_array_equal(image[..., 0], expected)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(kept))), expected)


@settings(deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.binary(max_size=9))
def test_a_soft_mask_goes_through_the_spool_and_the_example(grey, image):
    soft = codec.to_png(grey)
    starts, lengths = rle.to_runs(grey >= 128)
    mask = MaskRuns(starts, lengths, *grey.shape, soft)
    scan = Scan("a", image, "png", *grey.shape)
    found, found_mask = spool.decode(spool.encode(Entry(Path("a.png"), scan, mask)))
    assert found == scan
    example = schema.parse(serialise(found, 0, found_mask))
    assert example["image"] == image
    np.testing.assert_array_equal(schema.decode_soft_mask(example)[..., 0], grey)
    np.testing.assert_array_equal(schema.decode_mask(example)[..., 0], grey >= 128)


def test_records_from_before_soft_masks_are_read_as_hard():
    runs = MaskRuns(np.array([1]), np.array([2]), 3, 2)
    serialised = serialise(Scan("a", b"image", "png", 3, 2), 0, runs)
    assert "mask_soft" not in tf.train.Example.FromString(serialised).features.feature
    assert not schema.has_soft_mask(schema.parse(serialised))
