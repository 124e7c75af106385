"""The commands `sweep`, `evaluate` and `score`, from their arguments to what they print."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.operating_point import make_maps
from tfptx.cli.main import main
from tfptx.operating_point import rule, submissions, surface, tables
from tfptx.scans import rle

LEVELS, TRUTHS = make_maps.draw(0, [(8, 8)] * 6)
WIDE = ("--min-pixels", "0,5,30,65")  # up to cells where all masks are empty


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_maps.write(tmp_path / "maps", LEVELS, TRUTHS, runs=["a"], stage="2")
    return tmp_path


def write_point(folder):
    path = folder / "given.json"
    path.write_text('{"schema": 1, "threshold": 0.6, "min_pixels": 20, "size_px": 8}')
    return str(path)


def call(*arguments):
    return CliRunner().invoke(main, list(arguments))


def read(*arguments):
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_sweep_its_repetition_and_its_evaluation(here):
    arguments = ("sweep", "joint", "maps", "--out", "study", "--min-pixels", "0,5,30")
    found = read(*arguments)
    table = pd.read_csv(here / "study" / "joint" / "results.csv")
    assert len(table) == 19 * 3
    assert table["mean_dice"].max() == pytest.approx(found["mean_dice"])
    assert found["all_empty_dice"] == pytest.approx(2 / 6)
    assert found["is_new"]

    again = call(*arguments)
    assert again.exit_code == 0
    assert "stood there already" in again.output
    assert "all empty" in again.output

    other = call(*arguments, "--thresholds", "0.5")
    assert other.exit_code == 1
    assert "--overwrite" in other.stderr
    assert call(*arguments, "--thresholds", "0.5", "--overwrite").exit_code == 0
    assert len(pd.read_csv(here / "study" / "joint" / "results.csv")) == 3

    point = here / "study" / "joint" / "point.json"
    evaluated = read("evaluate", "maps", "--point", str(point))
    assert evaluated["chosen_on_these_maps"] is True
    assert evaluated["mean_dice"] == json.loads(point.read_text())["mean_dice"]
    shown = call("evaluate", "maps", "--point", str(point))
    assert "6 images of 6 patients; these are the maps that the point was chosen on" in shown.output


def test_a_threshold_sweep_keeps_every_mask(here):
    assert read("sweep", "threshold", "maps", "--out", "study")["min_pixels"] == 0
    assert set(pd.read_csv(here / "study" / "threshold" / "results.csv")["min_pixels"]) == {0}


def test_another_sweep_is_refused_before_the_work(here, monkeypatch):
    read("sweep", "joint", "maps", "--out", "study")
    with monkeypatch.context() as patch:
        patch.setattr(surface, "surfaces", None)
        refused = call("sweep", "joint", "maps", "--out", "study", "--min-pixels", "0")
    assert refused.exit_code == 1
    assert "study/joint holds the sweep of other maps or another grid" in refused.stderr


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_a_folder_that_is_no_sweep_is_never_replaced(here, more):
    (here / "study" / "joint").mkdir(parents=True)
    (here / "study" / "joint" / "thesis.txt").touch()
    refused = call("sweep", "joint", "maps", "--out", "study", *more)
    assert refused.exit_code == 1
    assert "study/joint holds no provenance.json, so it is not replaced" in refused.stderr
    assert (here / "study" / "joint" / "thesis.txt").exists()


def test_a_nested_choice_that_no_cell_is_allowed_in_says_where(here):
    """Without the fold of the clear images every cell alarms on half of the others."""
    square = np.zeros((8, 8), bool)
    square[2:6, 2:6] = True
    truths = [square, 0 * square, square, *[0 * square] * 4]
    levels = [10_000 * square] * 3 + [0 * square] * 4
    make_maps.write(here / "parted", levels, truths, folds=[0, 0, 1, 1, 1, 1, 1])
    arguments = ("sweep", "threshold", "parted", "--out", "study", "--min-specificity", "0.75")
    assert "no nested score: without part 1 no cell" in call(*arguments).output
    found = read(*arguments)
    assert (found["nested_mean_dice"], found["parts_without_choice"]) == (None, [1])


def test_a_triplet_sweep_has_the_axes_that_were_given(here):
    axes = ("--top-thresholds", "0.6,0.8", "--areas", "0,5", "--bottom-thresholds", "0.3,0.7")
    found = read("sweep", "triplet", "maps", "--out", "study", *axes)
    table = pd.read_csv(here / "study" / "triplet" / "results.csv")
    # A top threshold of 0.6 has no bottom one of 0.7.
    assert len(table) == 2 * (2 * 2) - 2
    assert set(table["top_threshold"]) == {0.6, 0.8}
    assert set(table["area_px"]) == {0, 5}
    assert set(table["bottom_threshold"]) == {0.3, 0.7}
    point = read("evaluate", "maps", "--point", "study/triplet/point.json")
    names = ("top_threshold", "area_px", "bottom_threshold", "mean_dice")
    assert {name: point[name] for name in names} == {name: found[name] for name in names}


@pytest.mark.parametrize("more", [[], ["--fill-holes"]])
def test_a_components_sweep_fills_holes_when_told(here, more):
    axes = ("--thresholds", "0.3,0.7", "--component-pixels", "0,4,9")
    found = read("sweep", "components", "maps", "--out", "study", *axes, *more)
    table = pd.read_csv(here / "study" / "components" / "results.csv")
    assert (set(table["threshold"]), set(table["min_component_px"])) == ({0.3, 0.7}, {0, 4, 9})
    assert set(table["fills_holes"]) == {found["fills_holes"]} == {bool(more)}
    point = read("evaluate", "maps", "--point", "study/components/point.json")
    assert point["mean_dice"] == pytest.approx(found["mean_dice"])


def test_wishes_and_the_way_of_intervals_reach_the_sweep(here):
    def swept(*more):
        return read("sweep", "joint", "maps", "--out", "study", "--overwrite", *WIDE, *more)

    assert swept("--min-sensitivity", "1")["sensitivity"] == 1
    assert swept("--min-specificity", "1")["specificity"] == 1
    dear, cheap = swept("--cost-of-miss", "1000"), swept("--cost-of-miss", "0.001")
    assert dear["sensitivity"] > cheap["sensitivity"]
    tables = []
    for method in ("bca", "percentile"):
        swept("--interval", method)
        tables.append(pd.read_csv(here / "study" / "joint" / "results.csv"))
    assert tables[0]["mean_dice"].equals(tables[1]["mean_dice"])
    assert not tables[0]["low"].equals(tables[1]["low"])
    settings = json.loads((here / "study" / "joint" / "provenance.json").read_text())["settings"]
    assert settings["method"] == "percentile"


def test_prevalences_intervals_and_subgroups_reach_the_evaluation(here):
    point = write_point(here)
    drains = "".join(f"image{number},{number % 2}\n" for number in range(6))
    (here / "drains.csv").write_text(f"image_id,drain\n{drains}")
    arguments = ("evaluate", "maps", "--point", point)
    more = ("--prevalence", "0.05", "--prevalence", "0.3", "--subgroups", "drains.csv")
    found = read(*arguments, *more)
    assert {"ppv_at_0.05", "npv_at_0.05", "ppv_at_0.3", "npv_at_0.3"} <= set(found)
    assert [group["num_images"] for group in found["subgroups"] if group["column"] == "drain"] == [
        3,
        3,
    ]
    assert "drain 1: 3 images" in call(*arguments, *more).output
    percentile = read(*arguments, "--interval", "percentile")
    assert percentile["intervals"]["mean_dice"] != found["intervals"]["mean_dice"]


@pytest.mark.parametrize("name", ["against.json", "drains.csv"])
def test_an_evaluation_never_replaces_what_it_reads(here, name):
    point, out = write_point(here), here / "out"
    drains = "".join(f"image{number},{number % 2}\n" for number in range(6))
    arguments = ("evaluate", "maps", "--point", point, "--out", "out", "--overwrite")
    assert call(*arguments).exit_code == 0
    shutil.copy(point, out / "against.json")
    (out / "drains.csv").write_text(f"image_id,drain\n{drains}")
    option = {"against.json": "--against", "drains.csv": "--subgroups"}[name]
    refused = call(*arguments, option, f"out/{name}")
    assert refused.exit_code == 1
    assert f"out/{name} lies in out and would be replaced" in refused.stderr
    assert (out / name).exists()


def test_groups_make_a_score_one_over_patients(here):
    ids = "abcdefgh"
    submissions.write(here / "one.csv", [(each, "0 4") for each in ids])
    submissions.write(here / "truth.csv", [(each, f"{n} 4") for n, each in enumerate(ids)])
    rows = "".join(f"{each},patient {n // 4}\n" for n, each in enumerate(ids))
    (here / "patients.csv").write_text(f"image_id,patient_id\n{rows}")
    arguments = ("score", "one.csv", "truth.csv", "--size-px", "8")
    alone, grouped = read(*arguments), read(*arguments, "--groups", "patients.csv")
    assert (alone["num_patients"], grouped["num_patients"]) == (None, 2)
    assert grouped["mean_dice"] == alone["mean_dice"]
    assert grouped["intervals"]["mean_dice"] != alone["intervals"]["mean_dice"]
    told = call(*arguments, "--groups", "patients.csv").output
    assert "8 images; intervals by drawing 2 patients anew" in told


@pytest.mark.parametrize("seed", range(2))
def test_all_commands_give_a_point_the_same_interval(here, seed):
    """Masks of one row of four: many resamples have just the mean Dice of all images."""
    random = np.random.default_rng(seed)
    masks = random.random((2, 40, 4)) < [[[0.5]], [[0.4]]]
    levels, truths = (list(each[:, np.newaxis]) for each in masks)
    make_maps.write(here / "rows", [9000 * each for each in levels], truths)
    swept = read("sweep", "joint", "rows", "--out", "study", "--min-pixels", "0:3:1")
    evaluated = read("evaluate", "rows", "--point", "study/joint/point.json")
    point = tables.read_point(here / "study" / "joint" / "point.json")
    ids = [f"image{number}" for number in range(40)]
    decided = [rule.mask_of_levels((9000 * each).astype(np.uint16), point.rule) for each in levels]
    for name, drawn in (("one", decided), ("truth", truths)):
        # A submission's masks are square.
        squares = [np.pad(mask, ((0, 3), (0, 0))) for mask in drawn]
        rows = zip(ids, map(rle.encode, squares), strict=True)
        submissions.write(here / f"{name}.csv", rows)
    patients = "".join(f"{each},patient of {each}\n" for each in ids)
    (here / "patients.csv").write_text(f"image_id,patient_id\n{patients}")
    arguments = ("one.csv", "truth.csv", "--size-px", "4", "--groups", "patients.csv")
    scored = read("score", *arguments)
    assert scored["mean_dice"] == pytest.approx(swept["mean_dice"])
    ends = pytest.approx([swept["low"], swept["high"]], abs=1e-9)
    assert evaluated["intervals"]["mean_dice"] == ends
    assert scored["intervals"]["mean_dice"] == ends


def test_figures_without_a_positive_are_null_in_json(here):
    make_maps.write(here / "negatives", LEVELS, [np.zeros((8, 8), bool)] * 6)
    found = read("sweep", "joint", "negatives", "--out", "study")
    assert found["positive_dice"] is None
    assert (
        json.loads((here / "study" / "joint" / "point.json").read_text())["positive_dice"] is None
    )


def test_one_patient_has_no_interval_in_any_command(here):
    make_maps.write(here / "alone", LEVELS[2:3], TRUTHS[2:3])
    sweep = ("sweep", "joint", "alone", "--out", "study")
    found, told = read(*sweep), call(*sweep).output
    assert (found["low"], found["high"]) == (None, None)
    assert f"mean Dice {found['mean_dice']:.4f}, no interval: one patient\n" in told
    assert "NaN" not in (here / "study" / "joint" / "point.json").read_text()
    evaluate = ("evaluate", "alone", "--point", "study/joint/point.json")
    assert read(*evaluate)["intervals"]["mean_dice"] == [None, None]
    assert f"{found['mean_dice']:.4f}  no interval: one patient\n" in call(*evaluate).output
    submissions.write(here / "one.csv", [("a", "0 4")])
    score = ("score", "one.csv", "one.csv", "one.csv", "--size-px", "8")
    assert read(*score)["scored"][0]["intervals"]["sensitivity"] == [None, None]
    told = call(*score).output
    assert "one.csv     1.000000  no interval: one patient" in told
    assert "mean Dice +0.0000, no interval: one patient, permutation" in told


def test_a_subgroup_of_one_patient_has_no_interval(here):
    vendors = "".join(f"image{number},{'A' if number else 'B'}\n" for number in range(6))
    (here / "vendors.csv").write_text(f"image_id,vendor\n{vendors}")
    arguments = ("evaluate", "maps", "--point", write_point(here), "--subgroups", "vendors.csv")
    lines = [line for line in call(*arguments).output.splitlines() if line.startswith("vendor")]
    assert ["(no interval: one patient)" in line for line in lines] == [False, True]


def test_a_grid_that_never_beats_predicting_nothing_says_so(here):
    make_maps.write(here / "inverse", [10_000 * ~truth for truth in TRUTHS], TRUTHS)
    result = call("sweep", "threshold", "inverse", "--out", "study")
    assert "no cell of this grid does better than predicting nothing" in result.output
    assert "no cell" not in call("sweep", "threshold", "maps", "--out", "other").output


def test_a_wish_that_costs_dice_says_how_much(here):
    """The faint positive is found only where all four negatives alarm."""
    square = np.zeros((8, 8), bool)
    square[2:6, 2:6] = True
    levels = [9000 * square, 2000 * square, *[3000 * square] * 4]
    make_maps.write(here / "faint", levels, [square, square, *[0 * square] * 4])
    arguments = ("sweep", "threshold", "faint", "--out", "study", "--thresholds", "0.1,0.5")
    told = call(*arguments, "--overwrite").output
    assert not any(words in told for words in ("predicting nothing", "best cell", "cost"))
    sensitive = ("--overwrite", "--min-sensitivity", "1")
    told = call(*arguments, *sensitive).output
    assert "no cell of this grid" not in told
    assert "the chosen cell does no better than predicting nothing\n" in told
    assert "the best cell's mean Dice is 0.8333, 0.5000 more\n" in told
    assert read(*arguments, *sensitive)["best_mean_dice"] == pytest.approx(5 / 6)
    dear = ("--overwrite", "--cost-of-miss", "100")
    told = call(*arguments, *dear).output
    assert "chosen by cost: 0.6667 an image, a miss costing 100 and a false alarm 1\n" in told
    assert "0.5000 more\n" in told
    assert read(*arguments, *dear)["mean_cost"] == pytest.approx(4 / 6)


def test_a_score_says_which_images_it_is_of(here):
    submissions.write(here / "one.csv", [("a", "0 4"), ("b", "-1"), ("c", "-1")])
    submissions.write(here / "other.csv", [("a", "2 4"), ("b", "-1")])
    found = read("score", "one.csv", "other.csv", "--size-px", "8")
    assert found["mean_dice"] == 0.75
    assert found["positive_dice"] == found["all_empty_dice"] == 0.5
    assert (found["num_images"], found["only_in_predictions"], found["only_in_truth"]) == (2, 1, 0)
    told = call("score", "one.csv", "other.csv", "--size-px", "8").output
    assert "2 images; intervals by drawing images anew" in told
    assert "1 images of one.csv are not in other.csv, as c" in told
    refused = call("score", "one.csv", "other.csv", "--size-px", "8", "--strict")
    assert refused.exit_code == 1
    assert "error: 1 images of one.csv are not in other.csv, as c" in refused.output


def test_a_score_tells_of_the_rows_of_the_truth(here):
    submissions.write(here / "one.csv", [("a", "0 4"), ("b", "-1")])
    submissions.write(here / "parts.csv", [("a", "0 2"), ("a", "2 2"), ("b", "-1")])
    arguments = ("score", "one.csv", "parts.csv", "--size-px", "8")
    told = call(*arguments, "--strict")
    assert told.exit_code == 0
    assert (
        "1 images of parts.csv are in several rows, taken as parts of one mask, as a" in told.output
    )
    assert read(*arguments)["truth_repeated"] == 1
    submissions.write(here / "both.csv", [("a", "0 4"), ("b", "-1"), ("a", "-1")])
    arguments = ("score", "one.csv", "both.csv", "--size-px", "8")
    problem = "1 images of both.csv have an empty row beside a mask, as a"
    assert problem in call(*arguments).output
    refused = call(*arguments, "--strict")
    assert refused.exit_code == 1
    assert problem in refused.stderr


def test_several_scores_are_compared_in_pairs(here):
    submissions.write(here / "one.csv", [("a", "0 4"), ("b", "-1")])
    submissions.write(here / "two.csv", [("a", "2 4"), ("b", "-1")])
    submissions.write(here / "truth.csv", [("a", "2 4"), ("b", "-1")])
    found = read("score", "one.csv", "two.csv", "truth.csv", "--size-px", "8")
    assert [each["mean_dice"] for each in found["scored"]] == [0.75, 1.0]
    (difference,) = found["differences"]
    assert (difference["one"], difference["value"]) == ("one.csv", -0.25)
    told = call("score", "one.csv", "two.csv", "truth.csv", "--size-px", "8").output
    assert "one.csv - two.csv: mean Dice -0.2500, 95 % interval" in told
    assert call("score", "truth.csv").exit_code == 2


def test_submissions_of_one_name_have_a_line_each(here):
    for folder, runs in (("a", "0 4"), ("b", "2 4")):
        (here / folder).mkdir()
        submissions.write(here / folder / "predictions.csv", [("a", runs), ("b", "-1")])
    submissions.write(here / "truth.csv", [("a", "2 4"), ("b", "-1")])
    told = call("score", "a/predictions.csv", "b/predictions.csv", "truth.csv", "--size-px", "8")
    lines = {line.split()[0]: line.split()[1] for line in told.output.splitlines()[1:4]}
    assert lines == {
        "all": "empty",
        "a/predictions.csv": "0.750000",
        "b/predictions.csv": "1.000000",
    }


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("option", ["--cost-of-miss", "--min-sensitivity", "--min-specificity"])
def test_a_wish_is_a_finite_number(here, option, number):
    refused = call("sweep", "joint", "maps", "--out", "study", f"{option}={number}")
    assert refused.exit_code == 2
    assert option in refused.stderr
    assert not (here / "study").exists()


def test_a_prevalence_is_a_finite_number(here):
    refused = call("evaluate", "maps", "--point", write_point(here), "--prevalence", "nan")
    assert refused.exit_code == 2


def spoil(here):
    """Inputs that can't be used, beside the good maps."""
    make_maps.write(here / "unlabelled", LEVELS, [None] * 6)
    other_ids = [f"other{i}" for i in range(6)]
    make_maps.write(here / "stage1", LEVELS, TRUTHS, other_ids, runs=["a"], stage="1")
    make_maps.write(here / "short", LEVELS, TRUTHS)
    np.save(here / "short" / "levels.npy", np.zeros(7, np.uint16))
    make_maps.write(here / "test-share", LEVELS, TRUTHS, other_ids, [0, -1, -1, 0, 0, 0])
    (here / "cut.csv").write_text("ImageId,EncodedPixels\na,-1\nb")
    (here / "twice.csv").write_text("ImageId,EncodedPixels,ImageId\na,-1,b\n")
    (here / "columns.csv").write_text("id,mask\na,-1\n")
    submissions.write(here / "ids.csv", [("unknown", "-1")])
    submissions.write(here / "past.csv", [("a", "1048570 9")])
    submissions.write(here / "truth.csv", [("a", "-1")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sweep joint none --out study", "no maps at none"),
        ("sweep joint unlabelled --out study", "6 of 6 images have no truth"),
        ("sweep joint short --out study", "has 7 pixels"),
        ("sweep joint maps maps --out study", "more than one of these maps"),
        ("sweep joint maps stage1 --out study", "has stage '2'"),
        ("sweep joint test-share --out study", "test-share: 2 of 6 images are of the test share"),
        (
            "sweep triplet maps --out study --top-thresholds 0.2 --bottom-thresholds 0.5",
            "the top threshold is at most 0.2, the bottom one at least 0.5",
        ),
        ("sweep joint maps --out study --thresholds 0.12345", "more than four decimals"),
        ("sweep joint maps --out study --thresholds 0.9:0.1:0.1", "has 0 values"),
        ("sweep joint maps --out study --thresholds ,", "first:last:step"),
        ("sweep joint maps --out study --min-pixels 0:1:0.5", "no whole number"),
        ("sweep joint maps --out study --min-pixels=", "no grid of pixels"),
        ("sweep threshold maps --out study --min-pixels 5", "has no --min-pixels"),
        ("evaluate maps --point none.json", "make it with tfptx sweep"),
        ("evaluate unlabelled --point point.json", "6 of 6 images have no truth"),
        ("score columns.csv truth.csv", "lacks the column ImageId, EncodedPixels"),
        ("score cut.csv truth.csv", "cut.csv: line 3 has 1 cells, the header 2"),
        ("score twice.csv truth.csv", "twice.csv has the column ImageId twice"),
        ("score ids.csv truth.csv", "no image is in truth.csv and in ids.csv"),
        ("score past.csv truth.csv", "past.csv: a: runs end at pixel 1048579"),
        ("score none.csv truth.csv", "no csv at none.csv"),
    ],
)
def test_bad_input_is_one_line_exit_1_and_leaves_nothing(here, arguments, message):
    spoil(here)
    (here / "point.json").write_text(
        '{"schema": 1, "threshold": 0.5, "min_pixels": 0, "size_px": 8}'
    )
    result = call(*arguments.split())
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (here / "study").exists()
    assert not list(here.rglob(".writing-*"))
