"""A judgement, against the whole assessment of the same point."""

import pandas as pd
import pytest

from tests.operating_point import make_maps
from tests.studies.report import make_study
from tfptx.operating_point import assessment
from tfptx.operating_point.tables import Point
from tfptx.studies.report import collection, judgement

POINT = Point(threshold=0.5, min_pixels=40, size_px=32)


def test_figures_subgroups_and_calibration_are_those_of_evaluate(tmp_path):
    levels, truths = make_maps.draw(1, [(32, 32), (20, 40)] * 6)
    folder = make_maps.write(tmp_path / "maps", levels, truths)
    found = collection.judged([folder], POINT, make_study.unheard)
    judged = judgement.judge(found, POINT)
    whole = assessment.assess([folder], POINT, assessment.Options(), make_study.unheard)
    for name, figure in judged.figures.items():
        assert figure == whole.figures[name]
    assert judged.figures == judgement.figures(found, POINT)
    assert judged.values["mean_dice"] == judged.figures["mean_dice"].value
    assert judged.subgroups == whole.subgroups
    assert judged.num_patients == whole.num_patients == 12
    pd.testing.assert_frame_equal(judged.calibration, whole.calibration)
    pd.testing.assert_frame_equal(judged.reliability, whole.reliability)


def test_a_point_that_asks_for_presences_is_refused_where_there_are_none(tmp_path):
    levels, truths = make_maps.draw(1, [(32, 32)])
    folder = make_maps.write(tmp_path / "maps", levels, truths, presences=[float("nan")])
    point = Point(threshold=0.5, min_pixels=0, min_presence=0.5, size_px=32)
    found = collection.judged([folder], point, make_study.unheard)
    assert not found.allows("presence")
    with pytest.raises(ValueError, match="have no presence"):
        judgement.judge(found, point)
