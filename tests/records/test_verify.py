import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from tests.pipeline.make_records import build_records
from tfptx import provenance
from tfptx.cli.main import main
from tfptx.records import checksums, manifest, schema, verify

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
    checksums.write(folder, {})


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
    checksums.write(records, {})
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


def test_the_command_says_it_in_one_line(records):
    (records / POSITIVE).unlink()
    result = CliRunner().invoke(main, ["verify-records", str(records)])
    assert result.exit_code == 1
    assert result.stderr == f"error: {records} is damaged, build it anew: {POSITIVE}: missing\n"
