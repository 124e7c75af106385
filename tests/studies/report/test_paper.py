import pandas as pd
import pytest

from tests.studies.report import make_study
from tfptx.studies.report import collection, judgement, page, paper, tables


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    make_study.write_sweeps(folder / "study", make_study.write_maps(folder / "maps"))
    page.write(folder / "study", [], [], make_study.unheard)
    return folder / "study"


def test_the_points_stand_in_a_table_with_the_numbers_of_their_sweeps(study):
    table = pd.read_csv(study / paper.FOLDER / "points.csv").set_index("point")
    assert table.index.tolist() == ["Predicting nothing", "Best threshold", "Best pair"]
    for name, kind in (("Best threshold", "threshold"), ("Best pair", "joint")):
        point = tables.read(study).sweeps[kind].point
        assert table.loc[name, ["mean_dice", "low", "high", "positive_dice"]].tolist() == (
            pytest.approx([point.mean_dice, point.low, point.high, point.positive_dice])
        )
    assert table.loc["Predicting nothing", "mean_dice"] == 0.5


def test_reliability_and_subgroups_stand_in_tables(study):
    swept = tables.read(study).sweeps["joint"]
    judged = judgement.judge(collection.swept(swept, make_study.unheard), swept.point)
    bins = pd.read_csv(study / paper.FOLDER / "reliability.csv")
    assert len(bins) == len(judged.reliability)
    groups = pd.read_csv(study / paper.FOLDER / "subgroups.csv")
    assert groups["column"].tolist() == ["sex", "sex"]
    assert groups["num_images"].tolist() == [3, 3]


def test_a_table_for_latex_has_the_same_cells_escaped(tmp_path):
    table = pd.DataFrame({"rule_name": ["50 % & <b>"], "mean_dice": [0.87654321]})
    paper.write(tmp_path, {"one": table})
    text = (tmp_path / "one.tex").read_text()
    assert r"50 \% \& <b> & 0.8765 \\" in text
    assert r"rule name & mean dice \\" in text
    assert r"\toprule" in text
    assert pd.read_csv(tmp_path / "one.csv")["mean_dice"].tolist() == [0.87654321]
