import json
import subprocess
import sys

import pandas as pd
import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import assessment, tables
from tfptx.operating_point.assessment import Options
from tfptx.operating_point.tables import Point
from tfptx.studies import assessments

POINT = Point(threshold=0.6, min_pixels=20, size_px=8)


def test_an_assessment_is_tables_a_picture_and_where_it_came_from(tmp_path):
    levels, truths = make_maps.draw(6, [(8, 8)] * 12)
    ids = [f"i{number}" for number in range(12)]
    folder = make_maps.write(tmp_path / "maps", levels, truths, ids, [0, 1] * 6)
    csv = tmp_path / "drains.csv"
    csv.write_text("image_id,drain\n" + "".join(f"{i},{n % 2}\n" for n, i in enumerate(ids)))
    options = Options(prevalences=(0.05,), subgroups=csv)
    other = Point(threshold=0.7, min_pixels=0, size_px=8)
    found = assessment.assess([folder], POINT, options, lambda share: None, [other])
    out = tmp_path / "out"
    assessments.write(out, found, POINT, [folder], options)
    figures = pd.read_csv(out / "figures.csv").set_index("figure")
    assert figures.loc["mean_dice", "value"] == pytest.approx(found.figures["mean_dice"].value)
    assert figures.loc["mean_dice", "all_empty"] == pytest.approx(found.all_empty["mean_dice"])
    assert figures.loc["auroc", "low"] <= figures.loc["auroc", "high"]
    assert len(pd.read_csv(out / "images.csv")) == 12
    difference = pd.read_csv(out / "differences.csv").iloc[0]
    assert difference["mean_dice.value"] == pytest.approx(found.differences[0].mean_dice.value)
    groups = pd.read_csv(out / "subgroups.csv")
    assert groups.query("column == 'drain'")["num_images"].tolist() == [6, 6]
    assert {"sensitivity", "sensitivity_low", "sensitivity_high"} <= set(groups)
    assert set(pd.read_csv(out / "calibration.csv")["method"]) == {
        "as predicted",
        "temperature",
        "isotonic",
    }
    assert pd.read_csv(out / "reliability.csv")["events"].min() > 0
    assert (out / "reliability.png").read_bytes().startswith(b"\x89PNG")
    assert tables.read_point(out / "point.json") == POINT
    settings = json.loads((out / "assessment.json").read_text())["settings"]
    assert settings["subgroups"] == str(csv)


def test_the_assessments_of_a_point_are_read_for_its_card(tmp_path):
    levels, truths = make_maps.draw(6, [(8, 8)] * 12)
    ids = [f"i{number}" for number in range(12)]
    folder = make_maps.write(tmp_path / "maps", levels, truths, ids, [0, 1] * 6)
    csv = tmp_path / "sexes.csv"
    csv.write_text("image_id,sex\n" + "".join(f"{i},{'FM'[n % 2]}\n" for n, i in enumerate(ids)))
    other = Point(threshold=0.7, min_pixels=0, size_px=8)
    study = tmp_path / "study"
    for name, point, options in (
        ("test", POINT, Options(subgroups=csv)),
        ("plain", POINT, Options()),
        ("other", other, Options()),
    ):
        found = assessment.assess([folder], point, options, lambda share: None)
        assessments.write(study / name, found, point, [folder], options)
    plain, judged = assessments.judgements(study, POINT)
    assert (plain.place, judged.place) == ("plain", "test")
    assert "sex" not in set(plain.subgroups.get("column", []))
    assert judged.subgroups["value"].tolist()[:2] == ["F", "M"]
    assert judged.figures["figure"].tolist()[0] == "mean_dice"
    assert len(judged.images) == 12
    assert judged.is_where_chosen is None
    (alone,) = assessments.judgements(study / "test", POINT)
    assert alone.place == "test"
    absent = Point(threshold=0.9, min_pixels=0, size_px=8)
    with pytest.raises(ValueError, match=r"holds no assessment of the point threshold 0\.9"):
        assessments.judgements(study, absent)
    (study / "test" / "images.csv").unlink()
    with pytest.raises(ValueError, match=r"images.csv can't be read; evaluate anew"):
        assessments.judgements(study / "test", POINT)


def test_judging_needs_no_tensorflow():
    code = "import sys, tfptx.studies.assessments; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
