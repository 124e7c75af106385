import json
import shutil

import cv2
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from tests.pipeline.make_records import build_records
from tests.pipeline.make_soft_records import build_soft_records
from tfptx import provenance
from tfptx.cli.main import main
from tfptx.records import checksums, manifest, schema, shard_check, verify

POSITIVE = "fold0-positive-00000-of-00001.tfrecord"
NEGATIVE = "fold0-negative-00000-of-00001.tfrecord"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Records of four positives and five negatives in three folds."""
    return build_records(tmp_path_factory.mktemp("verify"), num_positives=4, num_negatives=5)


@pytest.fixture
def records(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "records")


def problems_of(folder):
    return verify.verify(folder, lambda share: None)


def sum_anew(folder):
    """Make the checksums those of what the files hold now, as if it had been written so."""
    content = json.loads((folder / manifest.NAME).read_text())
    for shard in content["shards"]:
        path = folder / shard["file"]
        shard |= {"sha256": provenance.sha256_of_file(path), "bytes": path.stat().st_size}
    (folder / manifest.NAME).write_text(json.dumps(content))
    checksums.write(folder, manifest.read(folder).file_names, {})


def rewrite(folder, name, change):
    """Change the first example of a shard, and all checksums with it."""
    path = folder / name
    examples = [
        tf.train.Example.FromString(each.numpy()) for each in tf.data.TFRecordDataset(str(path))
    ]
    change(examples[0].features.feature)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            writer.write(example.SerializeToString())
    sum_anew(folder)


def test_whole_records_have_no_problem(records):
    done = []
    assert verify.verify(records, done.append) == []
    assert sum(done) == pytest.approx(1)
    sum_anew(records)
    assert problems_of(records) == []


def test_unlabelled_records_have_no_problem(tmp_path):
    assert problems_of(build_records(tmp_path, 0, 5, annotated=False)) == []


def test_every_flipped_byte_is_found(records):
    random = np.random.default_rng(0)
    for path in sorted(records.iterdir()):
        content = path.read_bytes()
        for at in random.choice(len(content), min(len(content), 4), replace=False):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            try:
                found = problems_of(records)
            except ValueError as error:  # of a manifest that is none any more
                found = [str(error)]
            assert found, (path.name, at)
        path.write_bytes(content)
    assert problems_of(records) == []


def test_a_missing_shard_is_found(records):
    (records / POSITIVE).unlink()
    assert problems_of(records) == [f"{POSITIVE}: missing"]


def test_an_extra_shard_is_found(records):
    shutil.copy(records / POSITIVE, records / "fold7-positive-00000-of-00001.tfrecord")
    assert problems_of(records) == ["fold7-positive-00000-of-00001.tfrecord: not of these records"]


def test_a_renamed_shard_is_found(records):
    (records / POSITIVE).rename(records / "renamed.tfrecord")
    assert problems_of(records) == [
        f"{POSITIVE}: missing",
        "renamed.tfrecord: not of these records",
    ]


def test_shards_that_changed_names_are_found(records):
    (records / POSITIVE).rename(records / "other")
    (records / NEGATIVE).rename(records / POSITIVE)
    (records / "other").rename(records / NEGATIVE)
    assert problems_of(records) == [f"{each}: its bytes changed" for each in (NEGATIVE, POSITIVE)]
    sum_anew(records)
    assert len(problems_of(records)) == 2


def test_missing_checksums_are_found_and_the_shards_still_checked(records):
    (records / checksums.NAME).unlink()
    (records / POSITIVE).write_bytes(b"other")
    assert problems_of(records) == [
        f"{checksums.NAME}: missing",
        f"{POSITIVE}: its bytes changed",
    ]


def test_a_count_that_disagrees_is_found(records):
    content = json.loads((records / manifest.NAME).read_text())
    (counted,) = (shard for shard in content["shards"] if shard["file"] == NEGATIVE)
    counted["examples"] += 1
    content["skipped"] = 3
    (records / manifest.NAME).write_text(json.dumps(content))
    checksums.write(records, manifest.read(records).file_names, {})
    examples = counted["examples"]
    assert problems_of(records) == [
        f"{NEGATIVE}: examples.csv lists {examples - 1} examples, the manifest {examples}",
        "skipped.csv: it lists 0 scans that were left out, the manifest 3",
    ]


def test_an_example_that_is_not_there_is_found(records):
    path = records / manifest.EXAMPLES
    lines = path.read_text().splitlines()
    (at, *_) = (at for at, line in enumerate(lines) if NEGATIVE in line)
    path.write_text("\n".join([*lines, lines[at].replace("image0", "other0")]) + "\n")
    sum_anew(records)
    (problem,) = problems_of(records)
    assert problem.startswith(f"{NEGATIVE}: examples.csv lists")


def test_a_patient_in_two_folds_is_found(records):
    path = records / manifest.EXAMPLES
    table = manifest.read_examples(records)
    table.loc[table["fold"] < 2, "patient_id"] = "p"
    table.to_csv(path, index=False)
    sum_anew(records)
    assert "examples.csv: patient p is in 2 folds" in problems_of(records)


@pytest.mark.parametrize(
    ("starts", "lengths"),
    [([5], []), ([5], [0]), ([-1], [2]), ([9, 2], [1, 1]), ([2, 4], [3, 1]), ([0], [64 * 72 + 1])],
)
def test_a_mask_that_does_not_decode_is_found(records, starts, lengths):
    def change(feature):
        for name, values in (("mask_starts", starts), ("mask_lengths", lengths)):
            feature[name].int64_list.value[:] = values

    rewrite(records, POSITIVE, change)
    (problem,) = problems_of(records)
    assert problem.startswith(f"{POSITIVE}: image0")
    assert problem.endswith("has a mask that does not decode")


def test_an_image_that_does_not_decode_is_found(records):
    def change(feature):
        image = feature["image"].bytes_list.value[0]
        feature["image"].bytes_list.value[:] = [image[: len(image) // 2]]

    rewrite(records, POSITIVE, change)
    (problem,) = problems_of(records)
    assert "an image that does not decode" in problem


@pytest.mark.parametrize(
    "name",
    [name for name in schema.FEATURES if not name.startswith(("image", "mask_s", "mask_l"))],
)
def test_an_example_that_is_not_as_listed_is_found(records, name):
    def change(feature):
        if name == "labelled":
            feature[name].int64_list.value[:] = [0]
        elif feature[name].bytes_list.value:
            feature[name].bytes_list.value[:] = [b"other"]
        elif feature[name].float_list.value:
            feature[name].float_list.value[:] = [0.5]
        else:
            feature[name].int64_list.value[:] = [90]

    rewrite(records, POSITIVE, change)
    (problem,) = problems_of(records)
    assert problem.startswith(f"{POSITIVE}: ")


def test_a_picture_of_another_format_is_found(records):
    """TensorFlow would read a JPEG as well, and with another inverse DCT."""

    def change(feature):
        known = feature["image_format"].bytes_list.value[0]
        feature["image_format"].bytes_list.value[:] = [{b"png": b"jpeg", b"jpeg": b"png"}[known]]

    rewrite(records, POSITIVE, change)
    (problem,) = problems_of(records)
    assert "has an image that is no " in problem


def test_a_size_that_disagrees_is_found(records):
    content = json.loads((records / manifest.NAME).read_text())
    for shard in content["shards"]:
        shard["bytes"] = 0
    (records / manifest.NAME).write_text(json.dumps(content))
    checksums.write(records, manifest.read(records).file_names, {})
    problems = problems_of(records)
    assert len(problems) == len(content["shards"])
    assert all(each.endswith("the manifest says that it has 0 bytes") for each in problems)


def test_a_stranger_is_found_though_it_has_a_checksum(records):
    (records / ".writing-1.tfrecord").write_bytes(b"begun")
    names = {*manifest.read(records).file_names, ".writing-1.tfrecord"}
    checksums.write(records, names, {})
    assert problems_of(records) == [".writing-1.tfrecord: not of these records"]


@pytest.mark.parametrize("column", ["patient_id", "shard", "fold", "mask_px"])
def test_a_table_without_a_column_is_found(records, column):
    path = records / manifest.EXAMPLES
    path.write_text(path.read_text().replace(column, "other", 1))
    (records / checksums.NAME).unlink()
    assert f"lacks the column {column}" in problems_of(records)[-1]


def test_a_table_of_nothing_is_found(records):
    (records / manifest.SKIPPED).write_text("")
    sum_anew(records)
    (problem,) = problems_of(records)
    assert problem.startswith("skipped.csv: it can't be read")


@pytest.mark.parametrize(
    ("found", "listed", "expected"),
    [
        (1_500_000, "1500001", False),
        (1_500_000, "1500000", True),
        (0.139, "0.13900001", True),
        (0.139, "0.1391", False),
    ],
)
def test_whole_numbers_are_compared_as_such(found, listed, expected):
    assert shard_check.are_equal(found, listed) is expected


def test_the_command_says_it_in_one_line(records):
    (records / POSITIVE).unlink()
    result = CliRunner().invoke(main, ["verify-records", str(records)])
    assert result.exit_code == 1
    assert result.stderr == f"error: {records} is damaged, build it anew: {POSITIVE}: missing\n"


@pytest.fixture
def soft_records(tmp_path):
    """Of the first shard of positives the first example has a soft mask."""
    records = build_soft_records(tmp_path, 24, seed=1)
    path = records / POSITIVE
    features = (
        tf.train.Example.FromString(each.numpy()).features.feature
        for each in tf.data.TFRecordDataset(str(path))
    )
    assert "mask_soft" in next(features)
    return records


def test_whole_soft_masks_have_no_problem(soft_records):
    assert problems_of(soft_records) == []


def png_of(change):
    def changed(feature):
        content = feature["mask_soft"].bytes_list.value[0]
        grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        return cv2.imencode(".png", change(grey))[1].tobytes()

    return changed


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (png_of(lambda grey: grey[:-1]), "a soft mask of 63 x 72, not as its record says"),
        (png_of(lambda grey: grey.T), "a soft mask of 72 x 64, not as its record says"),
        (png_of(lambda grey: 255 - grey), "at least a half elsewhere than its mask"),
        (png_of(np.zeros_like), "at least a half elsewhere than its mask"),
        (lambda feature: feature["image"].bytes_list.value[0][:60], "does not decode"),
        (lambda feature: b"no picture", "does not decode"),
        (lambda feature: feature["mask_soft"].bytes_list.value[0][:-30], "does not decode"),
    ],
)
def test_a_soft_mask_that_is_not_its_masks_is_found(soft_records, changed, problem):
    def change(feature):
        feature["mask_soft"].bytes_list.value[:] = [changed(feature)]

    rewrite(soft_records, POSITIVE, change)
    (found,) = problems_of(soft_records)
    assert found.startswith(f"{POSITIVE}: soft")
    assert problem in found


def test_a_soft_mask_that_the_manifest_keeps_silent_about_is_found(soft_records):
    path = soft_records / manifest.NAME
    content = json.loads(path.read_text())
    del content["soft_masks"]
    path.write_text(json.dumps(content))
    sum_anew(soft_records)
    found = problems_of(soft_records)
    assert found
    assert all("has a soft mask, of which manifest.json does not tell" in each for each in found)
