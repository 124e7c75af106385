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
    assert table.index.tolist() == ["Predicting nothing", "Chosen threshold", "Chosen pair"]
    for name, kind in (("Chosen threshold", "threshold"), ("Chosen pair", "joint")):
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
    assert r"rule name & mean Dice \\" in text
    assert r"\toprule" in text
    assert pd.read_csv(tmp_path / "one.csv")["mean_dice"].tolist() == [0.87654321]


def test_a_table_for_latex_reads_as_one_of_a_paper(tmp_path):
    table = pd.DataFrame(
        {
            "mean_dice": [0.76, 0.5, float("nan")],
            "low": [0.6, None, None],
            "high": [0.872, None, None],
            "nested_mean_dice": [0.75, 0.5, 0.25],
            "nested_low": [0.7, 0.4, 0.2],
            "nested_high": [0.8, 0.6, 0.3],
            "events": [2694584.0, None, 0.0],
            "share": [1.0, 0.0, 1.0],
            "is_chosen": [True, False, False],
        }
    )
    paper.write(tmp_path, {"one": table})
    lines = (tmp_path / "one.tex").read_text().splitlines()
    assert lines[2] == r"mean Dice & nested mean dice & events & share & chosen \\"
    assert lines[4:7] == [
        r"0.760 (0.600 to 0.872) & 0.750 (0.700 to 0.800) & 2694584 & 1.0000 & yes \\",
        r"0.500 & 0.500 (0.400 to 0.600) & n/a & 0.0000 & no \\",
        r"n/a & 0.250 (0.200 to 0.300) & 0 & 1.0000 & no \\",
    ]


def test_the_edges_of_a_bin_are_no_interval(tmp_path):
    table = pd.DataFrame({"low": [0.1], "high": [0.2], "probability": [0.15], "events": [3.0]})
    paper.write(tmp_path, {"one": table})
    lines = (tmp_path / "one.tex").read_text().splitlines()
    assert lines[4] == r"0.1000 & 0.2000 & 0.1500 & 3 \\"


def test_the_best_cells_of_each_sweep_stand_in_tables_with_the_chosen_one(study):
    for kind, swept in tables.read(study).sweeps.items():
        best = pd.read_csv(study / paper.FOLDER / f"{kind}.csv")
        assert best["mean_dice"].max() == swept.best_mean_dice
        (chosen,) = best[best["is_chosen"]].to_dict("records")
        assert chosen["threshold"] == swept.point.threshold
        assert chosen["mean_dice"] == swept.figures["mean_dice"]
