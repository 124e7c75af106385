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
    assert found.fingerprint == maps.read(folder).fingerprint
    for i, (levels, truth) in enumerate(zip(LEVELS, TRUTHS, strict=True)):
        expected = np.bincount(levels.ravel(), minlength=10_001)
        np.testing.assert_array_equal(found.all_px[i], expected)
        np.testing.assert_array_equal(
            found.true_px[i], np.bincount(levels[truth], minlength=10_001)
        )


def test_a_map_of_several_blocks_is_counted_whole(monkeypatch):
    monkeypatch.setattr(counts, "_BLOCK_PX", 70)
    expected = np.bincount(LEVELS[3].ravel(), minlength=10_001)
    np.testing.assert_array_equal(counts.histogram(LEVELS[3]), expected)


def test_counts_are_kept(folder, monkeypatch):
    first = count(folder)
    monkeypatch.setattr(counts, "_count", refuse_to_count)
    again = count(folder)
    np.testing.assert_array_equal(again.all_px, first.all_px)
    np.testing.assert_array_equal(again.true_px, first.true_px)
    assert again.fingerprint == first.fingerprint


def test_counts_of_other_levels_are_made_anew(folder):
    before = count(folder)
    np.save(folder / "levels.npy", np.load(folder / "levels.npy")[::-1])
    after = count(folder)
    assert after.fingerprint != before.fingerprint
    np.testing.assert_array_equal(
        after.all_px[0], np.bincount(LEVELS[3].ravel()[-15:][::-1], minlength=10_001)
    )


def test_counts_of_another_truth_or_damaged_ones_are_made_anew(folder):
    before = count(folder)
    text = (folder / "index.csv").read_text()
    (folder / "index.csv").write_text(text.replace(",-1,", ",0 15,", 1))
    after = count(folder)
    assert before.true_px[0].sum() == 0
    assert after.true_px[0].sum() == 15
    (folder / "counts.npz").write_bytes(b"no counts")
    assert count(folder).true_px[0].sum() == 15


def test_maps_that_can_not_be_written_to_are_counted_without_a_cache(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(counts.files, "writing", refuse)
    assert count(folder).all_px.sum() == sum(levels.size for levels in LEVELS)
    assert not (folder / "counts.npz").exists()


def test_maps_without_truth_are_refused(tmp_path):
    folder = make_maps.write(tmp_path / "maps", LEVELS, [None, *TRUTHS[1:]])
    with pytest.raises(ValueError, match="1 of 4 images have no truth, as image0"):
        count(folder)


def test_what_is_no_level_is_refused(folder):
    levels = np.load(folder / "levels.npy")
    levels[16] = 65_535
    np.save(folder / "levels.npy", levels)
    with pytest.raises(ValueError, match="image1 has the level 65535"):
        count(folder)
    assert not (folder / "counts.npz").exists()
