import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfptx.scans.phantom import curves, disease, lungs
from tfptx.scans.phantom.anatomy import draw_anatomy, draw_posture
from tfptx.scans.phantom.disease import Collapse

ANGLES = np.linspace(0, 2 * np.pi, 240, endpoint=False)
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
CENTRE = np.zeros((1, 2))


def test_a_circle_drawn_back_by_half_is_a_circle_of_half_the_radius():
    collapse = Collapse(CIRCLE, CENTRE, np.full(240, 0.5))
    np.testing.assert_allclose(collapse.edge, CIRCLE / 2)
    assert len(collapse.lines) == 1


def test_a_line_over_the_start_of_the_outline_is_one_line():
    retraction = np.zeros(240)
    retraction[:10] = retraction[-5:] = 0.3
    retraction[100:120] = 0.2
    lines = Collapse(CIRCLE, CENTRE, retraction).lines
    assert sorted(len(line) for line in lines) == [15, 20]
    radii = [float(np.linalg.norm(line, axis=1).max()) for line in lines]
    assert sorted(radii) == pytest.approx([0.7, 0.8])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0015, 0.04))
def test_the_rim_has_the_area_asked_for(seed, area):
    random = np.random.default_rng(seed)
    patient, posture = draw_anatomy(random), draw_posture(random)
    outline = lungs.outline(patient, posture, "left")
    hilum = lungs.hilum(patient, posture, "left")
    collapse = disease.draw_collapse(outline, hilum, area, random)
    assert collapse.retraction.min() >= 0
    assert collapse.retraction.max() <= disease.FURTHEST
    rim = curves.area(outline) - curves.area(collapse.edge)
    if collapse.retraction.max() < 0.999 * disease.FURTHEST:
        assert rim == pytest.approx(area, rel=1e-3)
    else:
        assert rim <= area


def test_sizes_spread_from_slivers_to_collapse():
    random = np.random.default_rng(0)
    areas = np.array([disease.draw_area(random) for _ in range(4000)])
    assert 0.01 < np.median(areas) < 0.03
    assert areas.min() == disease.SMALLEST_AREA
    assert areas.max() > 20 * areas.min()
    assert (areas < 0.004).mean() < 0.1
