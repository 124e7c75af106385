import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.operating_point import make_maps
from tfptx.operating_point import maps as map_folders
from tfptx.operating_point import pseudo_labels, rule
from tfptx.operating_point.pseudo_labels import NAME, Certainty
from tfptx.scans import mask_files

SHAPES = ((20, 30), (12, 8), (20, 30), (9, 9))


def unheard(share):
    pass


@pytest.fixture
def folder(tmp_path):
    levels, _ = make_maps.draw(0, SHAPES)
    return make_maps.write(tmp_path / "maps", levels, [None] * len(SHAPES))


def masks_in(folder):
    return {
        path.stem: cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for path in sorted(folder.glob("*.png"))
    }


def test_the_grey_of_every_level_is_its_probability_rounded_with_the_same_half():
    levels = np.arange(rule.LEVELS + 1, dtype=np.uint16)
    grey = pseudo_labels.grey_of(levels)
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, np.floor(levels * 255.0 / rule.LEVELS + 0.5))
    is_inside = grey >= mask_files.LEAST_INSIDE
    np.testing.assert_array_equal(is_inside, levels >= rule.level_of(0.5))


@pytest.mark.parametrize(
    "how",
    [
        rule.pair(0.5, 0, 64),
        rule.pair(0.9, 300, 64),
        rule.Rule(0.99, 10, 0.7, 20, fills_holes=True, min_component_px=3, min_presence=0.3),
    ],
)
def test_hard_masks_are_those_of_the_rule(folder, tmp_path, how):
    shares = []
    found = pseudo_labels.write(folder, tmp_path / "out", how, None, shares.append)
    assert sum(shares) == pytest.approx(1)
    maps, masks = map_folders.read(folder), masks_in(tmp_path / "out")
    assert list(masks) == sorted(maps.index["image_id"])
    for position, image_id in enumerate(maps.index["image_id"]):
        expected = rule.mask_of_levels(maps.levels(position), how, maps.presence[position])
        np.testing.assert_array_equal(masks[image_id], expected * np.uint8(255))
    assert found.num_positive == sum(mask.any() for mask in masks.values())
    assert found.num_negative == len(masks) - found.num_positive
    assert found.left_out == ()


def test_soft_masks_are_read_back_as_they_were(folder, tmp_path):
    pseudo_labels.write(folder, tmp_path / "out", None, None, unheard)
    maps, soft = map_folders.read(folder), mask_files.find(tmp_path / "out", are_soft=True)
    assert set(soft.ids) == set(maps.index["image_id"])
    for position, image_id in enumerate(maps.index["image_id"]):
        levels = maps.levels(position)
        mask = soft.mask(image_id, *levels.shape)
        np.testing.assert_array_equal(mask, levels >= rule.level_of(0.5))
        content = np.frombuffer(soft.drawn(image_id, *levels.shape)[1], np.uint8)
        np.testing.assert_array_equal(
            cv2.imdecode(content, cv2.IMREAD_UNCHANGED), pseudo_labels.grey_of(levels)
        )


@given(
    hnp.arrays(np.uint16, (3, 4), elements=st.integers(0, rule.LEVELS)),
    st.tuples(*[st.integers(0, rule.LEVELS)] * 2),
    st.integers(0, 13),
)
def test_a_label_is_sure_by_the_largest_probability_on_the_side_of_its_mask(
    levels, ends, min_pixels
):
    low, high = (level / rule.LEVELS for level in sorted(ends))
    mask = rule.mask_of_levels(levels, rule.pair(0.5, min_pixels, 4))
    largest = levels.max() / rule.LEVELS
    expected = largest >= high if mask.any() else largest < low
    assert Certainty(low, high).holds(levels, mask) == expected


def test_images_without_a_sure_label_have_no_mask(tmp_path):
    tops = {"sure": 9_000, "nearly": 8_999, "unsure": 1_000, "none": 999}
    levels = [np.full((4, 5), top) for top in tops.values()]
    folder = make_maps.write(tmp_path / "maps", levels, [None] * 4, list(tops))
    out = tmp_path / "out"
    found = pseudo_labels.write(folder, out, None, Certainty(0.1, 0.9), unheard)
    assert set(masks_in(out)) == {"sure", "none"}
    assert (found.num_positive, found.num_negative) == (1, 1)
    assert found.left_out == ("nearly", "unsure")
    told = json.loads((out / NAME).read_text())
    assert told["left_out"] == ["nearly", "unsure"]
    assert told["certainty"] == {"low": 0.1, "high": 0.9}
    # The rule calls an image empty that has sure pixels: there they contradict each other.
    strict = rule.pair(0.5, 21, 4)
    assert pseudo_labels.write(folder, out, strict, Certainty(0.1, 0.9), unheard).left_out == (
        "sure",
        "nearly",
        "unsure",
    )


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [
        (0.9, 0.1, "give the lower probability first"),
        (0.1, 1.1, "from 0 to 1"),
        (0, 0.12345, "more than four"),
    ],
)
def test_what_is_no_certainty_is_refused(low, high, reason):
    with pytest.raises(ValueError, match=reason):
        Certainty(low, high)


def test_nothing_is_left_where_it_can_not_be_done(folder, tmp_path):
    out = tmp_path / "out"
    levels = [np.full((4, 5), 5_000)]
    path = make_maps.write(tmp_path / "path", levels, [None], ["an_id"])
    index = path / map_folders.INDEX
    index.write_text(index.read_text().replace("an_id", "../a"))
    counts = make_maps.write(tmp_path / "counts", levels, [levels[0] > 0], counts_only=True)
    presence = make_maps.write(tmp_path / "presence", levels, [None], presences=[np.nan])
    asking = rule.Rule(0.5, 0, 0.5, 4, min_presence=0.5)
    for maps, how, certainty, reason in (
        (path, None, None, r"'\.\./a' can't be a file's name"),
        (counts, None, None, "counts without maps"),
        (presence, asking, None, "asks a presence"),
        (folder, None, Certainty(0, 1), "no image of .*maps has a sure label"),
        (tmp_path / "none", None, None, "no maps at"),
    ):
        with pytest.raises(ValueError, match=reason):
            pseudo_labels.write(maps, out, how, certainty, unheard)
        assert not out.exists()
    assert not (tmp_path / "a.png").exists()
    assert not list(tmp_path.glob(".writing*"))
