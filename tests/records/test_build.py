import functools
import os

import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.pipeline.make_soft_records import KINDS, build_soft_records, grey_of
from tfptx.records import build, manifest, parallel, schema, spool
from tfptx.scans import annotations, rle, sources
from tfptx.scans.scan import pixels

ROWS, COLUMNS = 24, 32


@pytest.fixture
def source(tmp_path):
    """Twenty small images of ten patients with masks, and one without a row."""
    random = np.random.default_rng(0)
    (tmp_path / "images" / "deep").mkdir(parents=True)
    rows = []
    for index in range(21):
        name = f"image{index:02d}"
        suffix = ".png" if index % 2 else ".jpg"
        image = random.integers(0, 256, (ROWS, COLUMNS), np.uint8)
        cv2.imwrite(str(tmp_path / "images" / "deep" / f"{name}{suffix}"), image)
        mask = np.zeros((ROWS, COLUMNS), bool)
        if index % 3 == 0:
            mask[2 : 5 + index, 30:] = True
            mask[2, 4:9] = True
            half = np.zeros_like(mask)
            half[:, 30:] = mask[:, 30:]
            rows += [(name, rle.encode(half)), (name, rle.encode(mask & ~half))]
        elif index < 20:
            rows.append((name, " -1"))
    pd.DataFrame(rows, columns=["ImageId", " EncodedPixels"]).to_csv(
        tmp_path / "train.csv", index=False
    )
    groups = [(f"image{index:02d}", f"p{index // 2}") for index in range(21)]
    pd.DataFrame(groups, columns=["image_id", "patient_id"]).to_csv(
        tmp_path / "groups.csv", index=False
    )
    return tmp_path


def build_from(source, **options):
    return build.build(
        source / "images",
        source / "train.csv",
        source / "groups.csv",
        source / "records",
        build.Options(**{"num_folds": 3, **options}),
        lambda share: None,
    )


def in_another_process(process_id, folder, part, make=spool.make):
    assert os.getpid() != process_id
    return make(folder, part)


def examples_of(folder):
    for shard in manifest.read(folder).shards:
        for serialised in tf.data.TFRecordDataset(str(folder / shard.file)):
            yield shard, schema.parse(serialised)


def test_images_and_masks_come_back_as_they_were(source):
    built = build_from(source, test_share=0.25)
    annotated = annotations.read(source / "train.csv")
    paths = {path.stem: path for path in sources.find(source / "images")}
    seen = set()
    for shard, example in examples_of(source / "records"):
        image_id = example["image_id"].numpy().decode()
        seen.add(image_id)
        scan = sources.read(paths[image_id])
        image = schema.decode_image(example["image"], example["image_format"])
        np.testing.assert_array_equal(image[..., 0], pixels(scan))
        mask = schema.decode_mask(example)[..., 0].numpy() > 0
        np.testing.assert_array_equal(mask, annotated.mask(image_id, ROWS, COLUMNS))
        assert (shard.kind == "positive") == mask.any()
        assert example["fold"] == shard.fold
    assert seen == set(annotated.rles)
    assert built == manifest.read(source / "records")
    table = manifest.read_examples(source / "records")
    assert (table.groupby("patient_id")["fold"].nunique() == 1).all()
    assert set(table["fold"]) == {-1, 0, 1, 2}


def test_decoding_is_the_same_inside_a_pipeline(source):
    build_from(source)
    shard = manifest.read(source / "records").select([0], ["positive"])[0]
    serialised = tf.data.TFRecordDataset(str(source / "records" / shard.file))
    for eager, mapped in zip(
        serialised, serialised.map(lambda item: schema.decode_mask(schema.parse(item))), strict=True
    ):
        np.testing.assert_array_equal(schema.decode_mask(schema.parse(eager)), mapped)


def test_the_same_source_gives_the_same_bytes_for_any_workers(source, monkeypatch):
    monkeypatch.setattr(spool, "SCANS_PER_PART", 3)
    one = build_from(source)
    assert build_from(source, workers=4).shards == one.shards
    assert build_from(source, seed=1).fingerprint != one.fingerprint
    monkeypatch.setattr(parallel, "TASKS_PER_PROCESS", 1)
    monkeypatch.setattr(spool, "make", functools.partial(in_another_process, os.getpid()))
    assert build_from(source, workers=3).shards == one.shards


def test_an_unannotated_image_is_listed_as_skipped(source):
    table = pd.read_csv(source / "train.csv")
    table[table["ImageId"] != "image01"].to_csv(source / "train.csv", index=False)
    (source / "images" / "image99.png").write_bytes(b"no picture")
    assert build_from(source).skipped == 3
    skipped = pd.read_csv(source / "records" / "skipped.csv")
    assert dict(zip(skipped["image_id"], skipped["reason"], strict=True)) == {
        "image01": "no annotation",
        "image20": "no annotation",
        "image99": "no annotation",
    }


def test_a_mask_that_does_not_fit_is_an_error_and_nothing_is_left(source):
    (source / "train.csv").write_text(f"ImageId,EncodedPixels\nimage00,0 {ROWS * COLUMNS + 1}\n")
    with pytest.raises(
        ValueError, match=r"masks that do not fit.*1, that do: 0.*image00.*--mask-size"
    ):
        build_from(source)
    assert not (source / "records").exists()
    assert not list(source.glob(".writing-*"))


def test_ids_that_match_nothing_are_an_error(source):
    (source / "train.csv").write_text("ImageId,EncodedPixels\nother,-1\n")
    with pytest.raises(ValueError, match=r"none of the 21 images.*'image00'.*'other'"):
        build_from(source)


def test_masks_may_have_another_size_than_the_image(source):
    built = build_from(source, mask_size_px=64)
    assert built.count("positive") == 7
    _, example = next(iter(examples_of(source / "records")))
    assert schema.decode_mask(example).shape == (64, 64, 1)
    table = manifest.read_examples(source / "records")
    assert list(table.columns[-2:]) == ["mask_rows", "mask_columns"]
    assert set(zip(table["rows"], table["columns"], strict=True)) == {(ROWS, COLUMNS)}
    assert set(zip(table["mask_rows"], table["mask_columns"], strict=True)) == {(64, 64)}


def test_the_mask_of_an_unlabelled_example_would_have_its_image_size(source):
    build.build(
        source / "images", None, None, source / "records", build.Options(), lambda share: None
    )
    table = manifest.read_examples(source / "records")
    assert len(table) == 21
    assert set(zip(table["mask_rows"], table["mask_columns"], strict=True)) == {(ROWS, COLUMNS)}


def test_real_dicoms_build_and_equal_their_source(real_data, tmp_path):
    csv = real_data / "csv" / "pred_stage2_jovenwayfarer_5fold.csv"
    images = real_data / "siim_stage2_dicom"
    built = build.build(
        images, csv, None, tmp_path / "records", build.Options(workers=2), lambda share: None
    )
    assert (built.count("positive"), built.count("negative"), built.skipped) == (130, 170, 0)
    annotated = annotations.read(csv)
    paths = {path.stem: path for path in sources.find(images)}
    for _, example in examples_of(tmp_path / "records"):
        image_id = example["image_id"].numpy().decode()
        image = schema.decode_image(example["image"], example["image_format"])[..., 0]
        np.testing.assert_array_equal(image, pixels(sources.read(paths[image_id])))
        np.testing.assert_array_equal(
            schema.decode_mask(example)[..., 0], annotated.mask(image_id, 1024, 1024)
        )


def examples_in(records):
    """The parsed examples and their shards by id."""
    return {
        example["image_id"].numpy().decode(): (example, shard)
        for shard in manifest.read(records).shards
        for example in map(schema.parse, tf.data.TFRecordDataset(str(records / shard.file)))
    }


def test_soft_masks_stand_beside_the_hard_ones(tmp_path):
    records = build_soft_records(tmp_path, 12)
    assert manifest.read(records).soft_masks
    table = manifest.read_examples(records).set_index("image_id")
    found = examples_in(records)
    assert len(found) == 12
    for index in range(12):
        grey = grey_of(index)
        example, shard = found[f"soft{index:02d}"]
        np.testing.assert_array_equal(schema.decode_mask(example)[..., 0], grey >= 128)
        assert shard.kind == ("positive" if (grey >= 128).any() else "negative")
        assert table.loc[f"soft{index:02d}", "mask_px"] == (grey >= 128).sum()
        is_soft = KINDS[index % len(KINDS)] in {"soft", "faint"}
        assert bool(schema.has_soft_mask(example)) == is_soft
        if is_soft:
            np.testing.assert_array_equal(schema.decode_soft_mask(example)[..., 0], grey)


def test_black_and_white_masks_are_the_same_bytes_soft_or_hard(tmp_path):
    """And records without soft masks are such as versions read that know of none."""
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for index in range(9):
        kind = index // 3 * 4 + 1 if index % 2 else 2
        image = np.random.default_rng(index).integers(0, 256, (64, 72), np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), image)
        cv2.imwrite(str(tmp_path / "masks" / f"{index}.png"), grey_of(kind))
    shards = {}
    for out, soft_masks in (("hard", False), ("soft", True)):
        made = build.build(
            tmp_path / "images",
            tmp_path / "masks",
            None,
            tmp_path / out,
            build.Options(num_folds=3, soft_masks=soft_masks),
            lambda share: None,
        )
        shards[out] = [shard.sha256 for shard in made.shards]
        assert ("soft_masks" in (tmp_path / out / manifest.NAME).read_text()) == soft_masks
        for serialised in tf.data.TFRecordDataset(str(tmp_path / out / made.shards[0].file)):
            features = tf.train.Example.FromString(serialised.numpy()).features.feature
            assert "mask_soft" not in features
    assert shards["hard"] == shards["soft"]


def test_grey_without_soft_masks_is_left_out_as_before(tmp_path):
    records = build_soft_records(tmp_path, 12, soft_masks=False)
    skipped = pd.read_csv(records / "skipped.csv")
    assert list(skipped["image_id"]) == ["soft00", "soft04", "soft08"]
    assert skipped["reason"].str.contains("a mask has 0 and one other").all()


def test_soft_masks_are_refused_where_no_folder_is_named(source):
    with pytest.raises(ValueError, match=r"in a folder, got .*train\.csv; .*--soft-masks"):
        build_from(source, soft_masks=True)
