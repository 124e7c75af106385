"""What the page gives its explorer, against masks that are drawn."""

import json
import re
import zlib
from base64 import b64decode

import numpy as np
import pytest

from tests.operating_point import make_maps
from tests.studies.report import make_study
from tests.studies.report.test_packing import unpack
from tfptx.studies.report import assets, collection, explorer, tables

SHAPES = [(40, 32), (24, 48), (300, 600)]


@pytest.fixture
def sweeps(tmp_path, maps_folder):
    make_study.write_sweeps(tmp_path / "study", maps_folder)
    return tables.read(tmp_path / "study").sweeps


@pytest.fixture
def others(tmp_path):
    return make_maps.write(tmp_path / "others", *make_maps.draw(3, SHAPES))


def test_the_counts_of_every_threshold_are_those_of_masks(sweeps, others):
    judged = collection.judged([others], sweeps["joint"].point, make_study.unheard)
    content = explorer.content([judged], list(sweeps.values()), sweeps["joint"])
    (found,) = content["collections"]
    levels = content["levels"]
    steps = np.reshape(unpack(found["counts"]), (len(levels), 2, len(SHAPES)))
    reached = steps[::-1].cumsum(axis=0)[::-1]
    (maps,) = judged.maps
    for place in range(0, len(levels), 9):
        for image in range(len(SHAPES)):
            mask, truth = maps.levels(image) >= levels[place], maps.truth(image)
            false_px, true_px = reached[place, :, image]
            assert (false_px, true_px) == ((mask & ~truth).sum(), (mask & truth).sum())
    assert unpack(found["area_px"]) == [rows * columns for rows, columns in SHAPES]
    assert unpack(found["truth_px"]) == [maps.truth(i).sum() for i in range(len(SHAPES))]


def test_sliders_have_a_step_at_every_cell_of_the_sweeps_and_at_every_point(sweeps):
    chosen = collection.swept(sweeps["joint"], make_study.unheard)
    content = explorer.content([chosen], list(sweeps.values()), sweeps["joint"])
    assert {round(10_000 * each) for each in make_study.THRESHOLDS} <= set(content["levels"])
    assert set(make_study.MIN_PIXELS["joint"]) <= set(content["sizes"])
    assert content["levels"] == sorted(set(content["levels"]))
    assert content["sizes"] == [*range(61)]
    assert [point["name"] for point in content["points"]] == ["Best pair", "Best threshold"]
    for kind, point in zip(("joint", "threshold"), content["points"], strict=True):
        rule = sweeps[kind].point.rule
        assert content["levels"][point["bottom"]] == round(10_000 * rule.bottom_threshold)
        assert content["sizes"][point["size"]] == rule.area_px


def test_cases_are_small_and_have_the_probability_and_the_truth(sweeps, others):
    judged = collection.judged([others], sweeps["joint"].point, make_study.unheard)
    content = explorer.content([judged], list(sweeps.values()), sweeps["joint"])
    (found,) = content["collections"]
    layers = np.frombuffer(zlib.decompress(b64decode(found["layers"])), np.uint8)
    sizes = [case["rows"] * case["columns"] for case in found["cases"]]
    assert 2 * sum(sizes) == len(layers)
    start = 0
    for case, size in zip(found["cases"], sizes, strict=True):
        rows, columns = SHAPES[case["image"]]
        assert max(case["rows"], case["columns"]) == min(max(rows, columns), explorer.LAYER_PX)
        if rows * columns == size:
            levels, truth = (
                judged.maps[0].levels(case["image"]),
                judged.maps[0].truth(case["image"]),
            )
            shown = layers[start : start + size].reshape(rows, columns) / explorer.STEPS
            np.testing.assert_allclose(shown, levels / 10_000, atol=0.5 / explorer.STEPS + 1e-6)
            assert (layers[start + size : start + 2 * size].reshape(rows, columns) == truth).all()
        start += 2 * size


def test_counts_without_maps_have_numbers_and_no_cases(tmp_path, sweeps):
    levels, truths = make_maps.draw(0, [(32, 32)])
    folder = make_maps.write(tmp_path / "counted", levels, truths, counts_only=True)
    judged = collection.judged([folder], sweeps["joint"].point, make_study.unheard)
    (found,) = explorer.content([judged], [], sweeps["joint"])["collections"]
    assert (found["num_images"], found["cases"]) == (1, [])


def test_no_text_of_the_data_ends_the_element_that_it_stands_in():
    text = str(assets.as_json({"id": "</script><script>alert(1)</script>"}))
    assert not re.search("<", text)
    assert json.loads(text)["id"].startswith("</script>")
