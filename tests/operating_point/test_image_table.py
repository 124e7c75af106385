import errno
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from tfptx import files
from tfptx.operating_point import image_table

SHAPE = (200, 3)
EXPECTED = np.arange(600, dtype=np.uint32).reshape(SHAPE)


class Counter:
    """Counts an image, and notes which ones it was asked for."""

    def __init__(self, killed_at=None):
        self.asked = []
        self.killed_at = killed_at

    def __call__(self, position):
        if position == self.killed_at:
            raise KeyboardInterrupt
        self.asked.append(position)
        return EXPECTED[position]


def kept(path, counter, belongs_to="a", shape=SHAPE):
    shares = []
    found = image_table.kept(path, belongs_to, shape, counter, shares.append)
    assert sum(shares) == pytest.approx(1)
    return found


def test_a_table_is_made_once_and_mapped(tmp_path):
    path, counter = tmp_path / "t.npz", Counter()
    np.testing.assert_array_equal(kept(path, counter), EXPECTED)
    again = kept(path, counter)
    assert sorted(counter.asked) == list(range(200))
    np.testing.assert_array_equal(again, EXPECTED)
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(np.load(path)["numbers"], EXPECTED)
    assert [each.name for each in tmp_path.iterdir()] == ["t.npz"]


@pytest.fixture
def notes_at_once(monkeypatch):
    monkeypatch.setattr(image_table, "_SECONDS_BETWEEN_NOTES", 0)


def test_one_that_was_cut_off_goes_on(tmp_path, notes_at_once):
    path = tmp_path / "t.npz"
    with pytest.raises(KeyboardInterrupt):
        kept(path, Counter(killed_at=150))
    counter = Counter()
    np.testing.assert_array_equal(kept(path, counter), EXPECTED)
    assert sorted(counter.asked) == list(range(128, 200))


def test_what_is_noted_is_on_the_disk(tmp_path, notes_at_once, monkeypatch):
    steps = []
    flush, write_json = np.memmap.flush, files.write_json
    monkeypatch.setattr(np.memmap, "flush", lambda table: steps.append("flush") or flush(table))
    monkeypatch.setattr(
        files, "write_json", lambda *given: steps.append("note") or write_json(*given)
    )
    kept(tmp_path / "t.npz", Counter())
    assert steps[: 2 * 4] == ["flush", "note"] * 4


def test_a_note_waits_for_the_disk_so_it_is_not_taken_after_every_block(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "write_json", None)
    kept(tmp_path / "t.npz", Counter())


def test_what_was_begun_of_something_else_is_begun_anew(tmp_path, notes_at_once):
    path, counter = tmp_path / "t.npz", Counter()
    with pytest.raises(KeyboardInterrupt):
        kept(path, Counter(killed_at=150), belongs_to="b")
    kept(path, counter)
    assert len(counter.asked) == 200


def test_a_note_of_something_else_is_gone_once_its_rows_are(tmp_path, notes_at_once):
    """Begun of b, then of a without coming to a note, then of b again: b's rows are gone."""
    path, counter = tmp_path / "t.npz", Counter()
    with pytest.raises(KeyboardInterrupt):
        kept(path, Counter(killed_at=150), belongs_to="b")
    with pytest.raises(KeyboardInterrupt):
        kept(path, Counter(killed_at=0), belongs_to="a")
    np.testing.assert_array_equal(kept(path, counter, belongs_to="b"), EXPECTED)
    assert len(counter.asked) == 200


def test_a_table_of_something_else_or_a_damaged_one_is_made_anew(tmp_path):
    path, counter = tmp_path / "t.npz", Counter()
    kept(path, counter, belongs_to="b")
    assert image_table.read(path, "a") is None
    kept(path, counter)
    assert len(counter.asked) == 400
    path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_array_equal(kept(path, counter), EXPECTED)
    assert len(counter.asked) == 600


def test_two_at_once_make_it_once(tmp_path):
    path, counter = tmp_path / "t.npz", Counter()
    found = []
    both = [threading.Thread(target=lambda: found.append(kept(path, counter))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(counter.asked) == 200
    for each in found:
        np.testing.assert_array_equal(each, EXPECTED)


def test_a_lock_whose_file_another_removed_is_not_taken_for_one(tmp_path, monkeypatch):
    """The first lock is of a file that is gone when it is ours, as after its holder's work."""
    path, removed = tmp_path / "t.lock", []
    flock = image_table.fcntl.flock

    def lock(file, how):
        flock(file, how)
        if not removed:
            removed.append(path.unlink())

    monkeypatch.setattr(image_table.fcntl, "flock", lock)
    with image_table._alone(path) as is_writable:
        assert is_writable
        assert path.exists()
    assert removed
    assert not path.exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_where_nothing_can_be_written_the_table_is_not_kept(tmp_path, monkeypatch, number):
    def refuse(*arguments, **settings):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(image_table.Path, "open", refuse)
    np.testing.assert_array_equal(kept(tmp_path / "t.npz", Counter()), EXPECTED)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_locked_the_table_is_not_kept(tmp_path, monkeypatch):
    def refuse(lock, operation):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(image_table.fcntl, "flock", refuse)
    np.testing.assert_array_equal(kept(tmp_path / "t.npz", Counter()), EXPECTED)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def refuse(*arguments, **settings):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(image_table.Path, "open", refuse)
    with pytest.raises(OSError, match="No space left"):
        kept(tmp_path / "t.npz", Counter())


def test_a_table_that_can_not_be_kept_after_all_is_not_counted_twice(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr(image_table, "write", refuse)
    counter, shares = Counter(), []
    with pytest.raises(PermissionError):
        image_table.kept(tmp_path / "t.npz", "a", SHAPE, counter, shares.append)
    assert len(counter.asked) == 200
    assert sum(shares) == pytest.approx(1)


def test_a_table_takes_no_memory_when_it_is_opened(tmp_path):
    path = tmp_path / "t.npz"
    image_table.write(path, "a", np.zeros((40, 2**20), np.uint32))
    script = (
        "import resource, sys, pathlib; from tfptx.operating_point import image_table\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); image_table.read(pathlib.Path(sys.argv[1]), 'a'); print(peak() - before)"
    )
    grown = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
    )
    assert int(grown.stdout) * 1024 < 40 * 2**20
