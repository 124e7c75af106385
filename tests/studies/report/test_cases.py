import cv2
import numpy as np
import pytest

from tests.studies.report import make_study
from tfptx.operating_point import rule, score
from tfptx.operating_point.tables import Point
from tfptx.serving import overlay
from tfptx.studies.report import cases, collection

POINT = Point(threshold=0.5, min_pixels=20, size_px=make_study.SIDE_PX)
OUTCOMES = ["TP", "TP", "FN", "FP", "TN", "TN"]


@pytest.fixture
def opened(maps_folder):
    return collection.judged([maps_folder], POINT, make_study.unheard)


def test_outcomes_are_those_of_the_masks_themselves(opened):
    table = cases.outcomes(opened, POINT)
    assert table["outcome"].tolist() == OUTCOMES
    assert cases.tally(table) == {"TP": 2, "FP": 1, "FN": 1, "TN": 2}
    for i, row in enumerate(table.itertuples()):
        mask = rule.mask_of_levels(opened.maps[0].levels(i), POINT.rule)
        assert row.dice == pytest.approx(score.dice(mask, opened.maps[0].truth(i)))
        assert (row.mask_px, row.truth_px) == (mask.sum(), opened.maps[0].truth(i).sum())


def test_outcomes_of_a_rule_of_components_are_those_of_its_masks(maps_folder):
    point = Point(fills_holes=True, threshold=0.5, min_component_px=20, size_px=make_study.SIDE_PX)
    found = collection.judged([maps_folder], point, make_study.unheard)
    for i, row in enumerate(cases.outcomes(found, point).itertuples()):
        assert row.mask_px == rule.mask_of_levels(found.maps[0].levels(i), point.rule).sum()
    assert found.allows("components")
    assert not found.allows("presence")


def test_no_image_is_among_the_worst_and_the_best(opened):
    table = cases.outcomes(opened, POINT)
    picked = {
        gallery.title: cases.pick(table, gallery, 4)["image_id"].tolist()
        for gallery in cases.GALLERIES
    }
    assert list(picked.values()) == [
        ["missed"],
        ["alarm"],
        ["cut"],
        ["found"],
        [make_study.IMAGES[4][0]],
    ]


def test_a_case_shows_both_outlines_on_its_preview(opened):
    table = cases.outcomes(opened, POINT)
    drawn = {
        case.image_id: cv2.imdecode(np.frombuffer(case.drawing, np.uint8), cv2.IMREAD_COLOR)
        for _, found in cases.galleries(opened, table, POINT, 4)
        for case in found
    }
    assert all(max(image.shape) == cases.SIDE_PX for image in drawn.values())

    def has(image_id, colour):
        distance = np.abs(drawn[image_id].astype(int) - colour).max(axis=2)
        return (distance < 60).sum() > 20

    assert has("cut", overlay.ORANGE)
    assert has("cut", cases.TRUTH)
    assert has("missed", cases.TRUTH)
    assert not has("missed", overlay.ORANGE)
    assert has("alarm", overlay.ORANGE)
    assert not has("alarm", cases.TRUTH)
    assert abs(int(drawn["missed"][-1, -1, 0]) - 90) < 8
