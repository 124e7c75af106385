import zlib
from base64 import b64decode

import numpy as np
import pytest

from tests.operating_point import make_maps
from tests.studies.report import make_study
from tfptx.operating_point import maps, rule, score
from tfptx.operating_point.tables import Point
from tfptx.studies.viewer.map_cases import MapCases

POINT = Point(threshold=0.5, min_pixels=20, size_px=make_study.SIDE_PX)


@pytest.fixture
def folder(tmp_path):
    return make_study.write_maps(tmp_path / "maps")


def layers(case):
    """The layers of a case by name, rows x columns."""
    flat = np.frombuffer(zlib.decompress(b64decode(case["packed"])), np.uint8)
    shaped = flat.reshape(len(case["layers"]), case["rows"], case["columns"])
    return dict(zip(case["layers"], shaped, strict=True))


def test_rows_tell_outcome_dice_and_pixels_of_the_masks(folder):
    cases, found = MapCases([folder], POINT, lambda share: None), maps.read(folder)
    assert [row["kind"] for row in cases.rows] == ["TP", "TP", "FN", "FP", "TN", "TN"]
    for i, row in enumerate(cases.rows):
        mask = rule.mask_of_levels(found.levels(i), POINT.rule)
        assert row["dice"] == pytest.approx(score.dice(mask, found.truth(i)))
        assert (row["mask"], row["truth"]) == (mask.sum(), found.truth(i).sum())
        assert row["groups"]["sex"] == "FM"[i % 2]
        assert row["id"] == make_study.IMAGES[i][0]


def test_a_case_has_its_truth_decision_and_probability(folder):
    cases, found = MapCases([folder], POINT, lambda share: None), maps.read(folder)
    for i in range(len(found)):
        case = cases.case(i)
        drawn = layers(case)
        assert (drawn["truth"] == found.truth(i)).all()
        assert (drawn["mask"] == rule.mask_of_levels(found.levels(i), POINT.rule)).all()
        np.testing.assert_allclose(drawn["levels"] / 255, found.levels(i) / 10_000, atol=0.002)
        assert case["picture"].startswith("data:image/jpeg;base64,")


def test_a_picture_of_elsewhere_stands_in_place_of_the_preview(folder):
    known = {"found": "data:image/png;base64,AA=="}
    cases = MapCases([folder], POINT, lambda share: None, known.get)
    assert cases.case(0)["picture"] == known["found"]
    assert cases.case(1)["picture"].startswith("data:image/jpeg")


def test_several_folders_are_browsed_as_one(tmp_path, folder):
    levels, truths = make_maps.draw(0, [(20, 30)])
    other = make_maps.write(
        tmp_path / "more", levels, truths, ["other"], stage="2", size_px=32, records="c" * 64
    )
    cases = MapCases([folder, other], POINT, lambda share: None)
    assert [row["id"] for row in cases.rows][-1] == "other"
    assert (layers(cases.case(len(cases.rows) - 1))["truth"] == truths[0]).all()


def test_counts_without_maps_are_refused(tmp_path):
    levels, truths = make_maps.draw(0, [(20, 30)])
    folder = make_maps.write(tmp_path / "counted", levels, truths, counts_only=True)
    with pytest.raises(ValueError, match="holds counts without maps"):
        MapCases([folder], POINT, lambda share: None)
