import numpy as np
import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import counts, maps

SHAPES = [(3, 5), (4, 4), (7, 2), (40, 30)]
LEVELS, TRUTHS = make_maps.draw(1, SHAPES)


@pytest.fixture
def folder(tmp_path):
    return make_maps.write(tmp_path / "maps", LEVELS, TRUTHS)


def count(folder):
    shares = []
    found = counts.of(maps.read(folder), shares.append)
    assert sum(shares) == pytest.approx(1)
    return found


def refuse_to_count(*_):
    raise AssertionError("the counts that are kept should have been enough")


def test_counts_are_histograms_over_all_and_over_true_pixels(folder):
    found = count(folder)
    for i, (levels, truth) in enumerate(zip(LEVELS, TRUTHS, strict=True)):
        expected = np.bincount(levels.ravel(), minlength=10_001)
        np.testing.assert_array_equal(found.levels_px[i, 0], expected)
        np.testing.assert_array_equal(
            found.levels_px[i, 1], np.bincount(levels[truth], minlength=10_001)
        )
    assert found.patient_ids.tolist() == [f"patient of image{i}" for i in range(4)]
    assert found.folds.tolist() == [0] * 4


def test_a_map_of_several_blocks_is_counted_whole(monkeypatch):
    monkeypatch.setattr(counts, "_BLOCK_PX", 70)
    expected = np.bincount(LEVELS[3].ravel(), minlength=10_001)
    np.testing.assert_array_equal(counts.histogram(LEVELS[3]), expected)


def fingerprint(folder):
    return counts.fingerprint(maps.read(folder), count(folder))


def test_the_fingerprint_is_of_the_content(tmp_path):
    def write(name, levels, truths=TRUTHS):
        return fingerprint(make_maps.write(tmp_path / name, levels, truths))

    changed = [each.copy() for each in LEVELS]
    changed[1][0, 0] ^= 1
    same = write("one", LEVELS)
    assert write("two", LEVELS) == same
    assert write("three", changed) != same
    assert write("four", LEVELS, [~TRUTHS[0], *TRUTHS[1:]]) != same


def test_counts_are_there_once_maps_are_written(folder, monkeypatch):
    monkeypatch.setattr(counts, "of_levels", refuse_to_count)
    assert count(folder).levels_px[:, 0].sum() == sum(levels.size for levels in LEVELS)


def test_counts_of_other_levels_are_made_anew(folder):
    before = fingerprint(folder)
    np.save(folder / "levels.npy", np.load(folder / "levels.npy")[::-1])
    assert fingerprint(folder) != before
    np.testing.assert_array_equal(
        count(folder).levels_px[0, 0],
        np.bincount(LEVELS[3].ravel()[-15:][::-1], minlength=10_001),
    )


def test_counts_of_another_truth_or_damaged_ones_are_made_anew(folder):
    before = count(folder).levels_px[0, 1].sum()
    text = (folder / "index.csv").read_text()
    (folder / "index.csv").write_text(text.replace(",-1,", ",0 15,", 1))
    assert before == 0
    assert count(folder).levels_px[0, 1].sum() == 15
    (folder / "counts.npz").write_bytes(b"no counts")
    assert count(folder).levels_px[0, 1].sum() == 15


def test_counts_without_maps_are_the_same_and_say_so_where_pixels_are_asked_for(folder, tmp_path):
    alone = make_maps.write(tmp_path / "alone", LEVELS, TRUTHS, counts_only=True)
    assert not (alone / "levels.npy").exists()
    np.testing.assert_array_equal(count(alone).levels_px, count(folder).levels_px)
    assert fingerprint(alone) == fingerprint(folder)
    with pytest.raises(ValueError, match="without --counts-only"):
        maps.read(alone).levels(0)


def test_maps_without_truth_are_refused(tmp_path):
    folder = make_maps.write(tmp_path / "maps", LEVELS, [None, *TRUTHS[1:]])
    with pytest.raises(ValueError, match="1 of 4 images have no truth, as image0"):
        count(folder)


def test_what_is_no_level_is_refused(folder):
    levels = np.load(folder / "levels.npy")
    levels[16] = 65_535
    np.save(folder / "levels.npy", levels)
    (folder / "counts.npz").unlink()
    with pytest.raises(ValueError, match="image1 has the level 65535"):
        count(folder)
    assert not (folder / "counts.npz").exists()
