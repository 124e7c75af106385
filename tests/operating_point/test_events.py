"""Events of counts, against the pixels themselves."""

import numpy as np
import pandas as pd
import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import calibration, counts, events, maps, outcomes
from tfptx.operating_point.tables import Point

SHAPES = [(12, 20), (16, 16), (9, 30), (10, 10)]
PARTS = np.array([0, 1, 1, 0])


@pytest.fixture
def said(tmp_path):
    """The events of some maps, and what their pixels and images are one by one."""
    levels, truths = make_maps.draw(2, SHAPES)
    opened = maps.read(make_maps.write(tmp_path / "maps", levels, truths))
    counted = [counts.of(opened, lambda share: None)]
    point = Point(threshold=0.5, min_pixels=0, size_px=16)
    images = outcomes.of_counts([opened], counted, point, lambda share: None)
    return events.by_kind(counted, images, PARTS), levels, truths


def test_pixels_are_told_by_part_probability_and_truth(said):
    found, levels, truths = said
    for part, event in enumerate(found["pixel"]):
        members = np.flatnonzero(part == PARTS)
        probability = np.concatenate([levels[i].ravel() for i in members]) / 10_000
        true = np.concatenate([truths[i].ravel() for i in members])
        assert event.total.sum() == len(probability)
        assert event.true.sum() == true.sum()
        brier = np.mean((probability - true) ** 2)
        assert calibration.figures(event)["brier"] == pytest.approx(brier)


def test_an_image_says_its_largest_probability(said):
    found, levels, truths = said
    for part, event in enumerate(found["image"]):
        members = np.flatnonzero(part == PARTS)
        assert event.probability.tolist() == [levels[i].max() / 10_000 for i in members]
        assert event.true.tolist() == [float(truths[i].any()) for i in members]


def test_tables_of_both_kinds_stand_below_each_other(said):
    found, _, _ = said
    table = events.tabulated(found, events.reliability)
    whole = calibration.reliability(calibration.joined(found["image"])).assign(kind="image")
    pd.testing.assert_frame_equal(
        table[table["kind"] == "image"].reset_index(drop=True), whole, check_like=True
    )
    assert set(table["kind"]) == {"pixel", "image"}
