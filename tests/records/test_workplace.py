import errno
import json
import os
import subprocess
import sys

import cv2
import pytest
import tensorflow as tf
from click.testing import CliRunner

from tests.pipeline.make_records import build_records
from tfptx.cli.main import main
from tfptx.records import build, manifest, shards, spool, workplace

NUM_POSITIVES, NUM_NEGATIVES = 9, 14


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Scans in several parts, and their annotations; their records lie in `whole`."""
    monkeypatch.setattr(spool, "SCANS_PER_PART", 4)
    build_records(tmp_path, NUM_POSITIVES, NUM_NEGATIVES).rename(tmp_path / "whole")
    return tmp_path


def arguments(source, out="records"):
    options = {
        "images": source / "images",
        "annotations": source / "masks.csv",
        "out": source / out,
        "folds": 3,
        "workers": 1,
    }
    return ["build-records", *(f"--{name}={value}" for name, value in options.items())]


def build_again(source, out="records"):
    """Build with the command; what it says on stderr is at most one line."""
    result = CliRunner().invoke(main, arguments(source, out), catch_exceptions=False)
    assert result.stderr.count("\n") == (result.exit_code != 0)
    return result


def assert_whole(source):
    """The records are those of the build that nothing befell, and nothing is left beside them."""
    found, expected = (manifest.read(source / name) for name in ("records", "whole"))
    assert found.shards == expected.shards
    assert not (source / "records.partial").exists()


def fail_at(monkeypatch, module, name, call, error):
    """Have the n-th call of a function raise; the others are as before."""
    function, calls = getattr(module, name), []

    def failing(*given):
        calls.append(given)
        if len(calls) == call:
            raise error
        return function(*given)

    monkeypatch.setattr(module, name, failing)
    return calls


@pytest.mark.parametrize(
    ("how", "num_kept"), [(["--every", "20"], 6), (["--kills", "4", "--processes"], 0)]
)
def test_a_build_that_is_killed_goes_on_and_ends_with_the_same_bytes(source, how, num_kept):
    (source / "killed").mkdir()
    command = [sys.executable, "-m", "tests.records.killed_builds", str(source / "killed")]
    paths = [str(source / "images"), str(source / "masks.csv")]
    settings = ["--scans-per-part", "4", *how]
    done = subprocess.run(
        [*command, *paths, *settings], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["killed"] >= 4
    assert found["shards_kept"] >= num_kept


def test_parts_that_are_done_are_not_examined_again(source, monkeypatch):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fail_at(monkeypatch, spool, "encode", 15, full)
    result = build_again(source)
    assert result.exit_code == 1
    assert "no space is left" in result.stderr
    assert "run the same command again" in result.stderr
    examined = fail_at(monkeypatch, spool, "examine", 0, full)
    assert build_again(source).exit_code == 0
    assert len(examined) <= NUM_POSITIVES + NUM_NEGATIVES - 12
    assert_whole(source)


def test_a_disk_that_fills_under_a_shard_is_told_as_such(source, monkeypatch):
    full = tf.errors.ResourceExhaustedError(None, None, "No space left on device")
    fail_at(monkeypatch, shards, "serialise", 12, full)
    result = build_again(source)
    assert result.exit_code == 1
    assert "no space is left" in result.stderr
    written = fail_at(monkeypatch, shards, "write", 0, full)
    assert build_again(source).exit_code == 0
    assert 0 < len(written) < len(manifest.read(source / "whole").shards)
    assert_whole(source)


def test_a_scan_that_is_gone_half_way_stops_the_build_and_nothing_is_lost(source, monkeypatch):
    gone = source / "images" / "image20.png"
    content = gone.read_bytes()
    stat = gone.stat()
    examine = spool.examine

    def losing(path, *others):
        gone.unlink(missing_ok=True)
        return examine(path, *others)

    monkeypatch.setattr(spool, "examine", losing)
    result = build_again(source)
    assert result.exit_code == 1
    assert f"{gone} was there when the build began" in result.stderr
    monkeypatch.setattr(spool, "examine", examine)
    gone.write_bytes(content)
    os.utime(gone, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert build_again(source).exit_code == 0
    assert_whole(source)


def test_a_scan_that_changed_since_is_examined_again(source, monkeypatch):
    fail_at(monkeypatch, shards, "serialise", 1, OSError(errno.ENOSPC, "full"))
    build_again(source)
    changed = source / "images" / "image22.png"
    # Another image's pixels would make the two share a fold.
    cv2.imwrite(str(changed), 255 - cv2.imread(str(changed), cv2.IMREAD_UNCHANGED))
    assert build_again(source).exit_code == 0
    table = manifest.read_examples(source / "records")
    shard = table.set_index("image_id")["shard"]["image22"]
    whole, anew = (manifest.read(source / name).shards for name in ("whole", "records"))
    assert [one.file for one, other in zip(whole, anew, strict=True) if one != other] == [shard]


@pytest.mark.parametrize("torn", ["*.records", "*.json"])
def test_a_part_that_is_torn_is_made_again(source, monkeypatch, torn):
    fail_at(monkeypatch, shards, "serialise", 1, OSError(errno.ENOSPC, "full"))
    build_again(source)
    path = sorted((source / "records.partial" / "parts").glob(torn))[0]
    path.write_bytes(path.read_bytes()[:-7])
    assert build_again(source).exit_code == 0
    assert_whole(source)


def test_a_cut_file_is_left_out_with_the_reason(source):
    cut = source / "images" / "image05.jpg"
    cut.write_bytes(cut.read_bytes()[:200])
    assert build_again(source).exit_code == 0
    assert "image05," in (source / "records" / manifest.SKIPPED).read_text()


def test_a_folder_takes_one_build_at_a_time(source):
    with workplace.alone(source / "records"):
        result = build_again(source)
        assert result.exit_code == 1
        assert f"another process builds {source / 'records'}; wait" in result.stderr
        assert build_again(source, "other").exit_code == 0
    assert build_again(source).exit_code == 0
    assert_whole(source)


def test_a_folder_that_can_not_be_written_to_is_told_in_one_line(source):
    (source / "file").touch()
    result = build_again(source, "file/records")
    assert result.exit_code == 1
    assert "file is no folder; choose another --out" in result.stderr


def test_a_folder_of_somebody_else_is_no_workplace(source):
    (source / "records.partial" / "mine").mkdir(parents=True)
    result = build_again(source)
    assert result.exit_code == 1
    assert "records.partial is where the build works, and holds 'mine'" in result.stderr
    assert (source / "records.partial" / "mine").is_dir()


def test_what_stood_there_stays_until_the_records_are_whole(source, monkeypatch):
    assert build_again(source).exit_code == 0
    fail_at(monkeypatch, shards, "serialise", 5, OSError(errno.ENOSPC, "full"))
    replacing = [*arguments(source), "--overwrite", "--seed", "1"]
    assert CliRunner().invoke(main, replacing).exit_code == 1
    assert manifest.read(source / "records").seed == 0
    assert CliRunner().invoke(main, replacing).exit_code == 0
    assert manifest.read(source / "records").seed == 1
    assert not (source / "records.partial").exists()


def test_a_build_that_was_cut_off_while_it_moved_its_records_only_moves_them(source, monkeypatch):
    fail_at(monkeypatch, workplace.Workplace, "move_to", 1, OSError(errno.EIO, "cut off"))
    assert build_again(source).exit_code == 1
    monkeypatch.undo()
    monkeypatch.setattr(build, "plan", None)
    monkeypatch.setattr(spool, "SCANS_PER_PART", 4)
    assert build_again(source).exit_code == 0
    assert_whole(source)


def test_records_that_another_build_began_to_change_are_no_more_whole(source, monkeypatch):
    """A build is cut off before its records move, another one before it is whole."""
    for method, more in (("move_to", ()), ("note_whole", ("--seed", "7"))):
        fail_at(monkeypatch, workplace.Workplace, method, 1, OSError(errno.EIO, "cut off"))
        given = [*arguments(source), *more]
        assert CliRunner().invoke(main, given).exit_code == 1
        monkeypatch.undo()
        monkeypatch.setattr(spool, "SCANS_PER_PART", 4)
    assert build_again(source).exit_code == 0
    assert manifest.read(source / "records").seed == 0
    assert_whole(source)


@pytest.mark.parametrize("name", ["whole", "fold0-positive-00000-of-00001.tfrecord"])
def test_a_note_that_is_torn_says_nothing(source, monkeypatch, name):
    fail_at(monkeypatch, workplace.Workplace, "move_to", 1, OSError(errno.EIO, "cut off"))
    assert build_again(source).exit_code == 1
    (source / "records.partial" / "notes" / f"{name}.json").write_bytes(b"")
    assert build_again(source).exit_code == 0
    assert_whole(source)


def test_what_is_left_once_the_records_have_moved_is_removed(source, monkeypatch):
    remove = workplace.shutil.rmtree

    def cut_off(path, **options):
        if path.name == "records.partial":
            raise OSError(errno.EIO, "cut off")
        remove(path, **options)

    monkeypatch.setattr(workplace.shutil, "rmtree", cut_off)
    assert build_again(source).exit_code == 1
    monkeypatch.undo()
    assert (source / "records.partial").exists()
    result = build_again(source)
    assert "exists already" in result.stderr
    assert_whole(source)
