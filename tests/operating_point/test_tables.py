import json

import pandas as pd
import pytest

from tfptx.operating_point import grid, rule, score, tables
from tfptx.operating_point.tables import Origin, Point, Sweep

POINT = Point(kind="joint", threshold=0.55, min_pixels=2000, size_px=1024, runs=("a",), maps="m")
RESULTS = pd.DataFrame(
    {"threshold": [0.55], "min_pixels": [2000], **{name: [1 / 3] for name in score.FIGURES}}
)


def make(fingerprints=("m", "n"), thresholds=(0.55,), point=POINT):
    sources = tuple({"folder": f, "fingerprint": f, "num_images": 3} for f in fingerprints)
    return Sweep(
        origin=Origin(grid.joint(thresholds, (2000,), 1024), {"seed": 0}, sources),
        results=RESULTS,
        figures={},
        all_empty={},
        cost=None,
        point=point,
        choices=pd.DataFrame({"part": [0, 1], "judged_dice": [0.8, 0.9]}),
        nested_dice=None,
    )


def test_a_sweep_comes_back_from_disk(tmp_path):
    assert tables.write_sweep(tmp_path, make(), overwrite=False)
    pd.testing.assert_frame_equal(tables.read_results(tmp_path, "joint"), RESULTS)
    point = tables.read_point(tmp_path / "joint" / "point.json")
    assert point == POINT
    assert point.rule == rule.pair(0.55, 2000, 1024)
    found = tables.read_provenance(tmp_path, "joint")
    assert found["axes"] == {"threshold": [0.55], "min_pixels": [2000]}
    assert found["settings"] == {"seed": 0}
    assert pd.read_csv(tmp_path / "joint" / "nested.csv")["judged_dice"].tolist() == [0.8, 0.9]
    assert found["maps"][1] == {"folder": "n", "fingerprint": "n", "num_images": 3}
    assert "numpy" in found["environment"]["packages"]


def test_the_same_sweep_is_done_and_another_is_refused(tmp_path):
    tables.write_sweep(tmp_path, make(), overwrite=False)
    before = (tmp_path / "joint" / "provenance.json").stat()
    assert not tables.write_sweep(tmp_path, make(("n", "m")), overwrite=False)
    assert (tmp_path / "joint" / "provenance.json").stat() == before
    for other in (make(("m",)), make(thresholds=(0.5,))):
        with pytest.raises(ValueError, match="--overwrite"):
            tables.write_sweep(tmp_path, other, overwrite=False)
    assert tables.write_sweep(tmp_path, make(("m",)), overwrite=True)
    assert len(tables.read_provenance(tmp_path, "joint")["maps"]) == 1


def test_a_study_knows_before_the_work_whether_the_sweep_stands(tmp_path):
    assert not tables.stands(tmp_path, make().origin)
    (tmp_path / "joint").mkdir()
    assert not tables.stands(tmp_path, make().origin)
    tables.write_sweep(tmp_path, make(), overwrite=False)
    assert tables.stands(tmp_path, make().origin)
    with pytest.raises(ValueError, match=r"holds the sweep of other maps .* --overwrite"):
        tables.stands(tmp_path, make(("m",)).origin)


def test_half_a_sweep_is_not_taken_for_a_whole(tmp_path):
    tables.write_sweep(tmp_path, make(), overwrite=False)
    (tmp_path / "joint" / "results.csv").unlink()
    with pytest.raises(ValueError, match="--overwrite"):
        tables.write_sweep(tmp_path, make(), overwrite=False)
    with pytest.raises(ValueError, match="make it with tfptx sweep joint"):
        tables.read_results(tmp_path, "joint")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_results_that_are_no_table_are_named(tmp_path, content):
    tables.write_sweep(tmp_path, make(), overwrite=False)
    (tmp_path / "joint" / "results.csv").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"joint/results\.csv is no table .* tfptx sweep joint --ov"
    ):
        tables.read_results(tmp_path, "joint")


def test_a_point_of_the_rule_alone_is_enough(tmp_path):
    path = tmp_path / "point.json"
    path.write_text('{"schema": 1, "threshold": 0.7, "min_pixels": 0, "size_px": 1024}')
    assert tables.read_point(path).rule == rule.pair(0.7, 0, 1024)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0.12345}, "four decimals"),
        ({"threshold": None}, "has min_pixels; a rule is threshold with min_pixels, or"),
        ({"min_pixels": 0.5}, "min_pixels"),
        ({"top_threshold": 0.75}, "has threshold, min_pixels, top_threshold; a rule is"),
        ({"top": 0.75}, "top Extra inputs .* its keys are kind, threshold"),
        ({"schema": 2}, "schema 2"),
    ],
)
def test_a_point_that_can_not_be_is_refused(tmp_path, change, message):
    path = tmp_path / "point.json"
    content = {"schema": 1, "threshold": 0.7, "min_pixels": 0, "size_px": 1024} | change
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        tables.read_point(path)


def test_a_missing_point_names_its_command(tmp_path):
    with pytest.raises(ValueError, match="make it with tfptx sweep"):
        tables.read_point(tmp_path / "point.json")
