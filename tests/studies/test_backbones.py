"""The comparison's flow, with fits and predictions that write small files at once."""

import json
import re
from contextlib import contextmanager

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.conftest import REPOSITORY
from tests.operating_point import make_maps
from tfptx import config, files, runs
from tfptx.cli.main import main
from tfptx.operating_point import tables
from tfptx.studies import backbones, backbones_table, steps
from tfptx.studies.report import page

SIDE_PX = 16
PARAMETERS = {"resnet18": 11, "resnet34": 22, "efficientnetb4": 33, "seresnext50": 44}
# How sure the network of each encoder is inside the true square: better networks are surer.
LEVELS = {"resnet18": 3000, "resnet34": 5000, "efficientnetb4": 1000, "seresnext50": 9000}
CONFIG = REPOSITORY / "configs" / "seresnext50.toml"
SMALL = ("operating_point.min_pixels=0,20", f"operating_point.size_px={SIDE_PX}")


@contextmanager
def show(task):
    yield lambda share: None


@pytest.fixture
def calls(monkeypatch):
    """The fits and predictions that were made, by name, encoder and stage."""
    made = []

    def fit(study, material, run, stage, advance, announce):
        fold = material.held_out
        folder = runs.stage_folder(run, fold, stage)
        if not folder.is_finished:
            made.append(("fit", study.network.encoder, stage))
            folder.path.mkdir(parents=True)
            files.write_text(folder.config_toml, config.to_toml(study))
            folder.best_weights.write_bytes(stage.encode())
            costs = {
                "seconds": [60.0, 4.0, 5.0],
                "seconds_per_step": [9.0, 0.4, 0.5],
                "peak_memory_mb": [100.0, 120.0, 110.0],
            }
            pd.DataFrame(costs).to_csv(folder.history_csv, index=False)
            runs.write_result(folder, {"epoch": 0, "epochs": 3})
        return folder

    def predict_maps(run_folders, records, fold, out, manner, advance, stage):
        folder = runs.finished(run_folders[0], fold, stage)
        encoder = runs.read_study(folder).network.encoder
        made.append(("predict", encoder, stage))
        square = np.zeros((SIDE_PX, SIDE_PX), bool)
        square[4:10, 4:10] = True
        noise = np.zeros_like(square)
        noise[:2, :2] = True
        # Beside the true square, a speck on an image without one, at level 4000 for all.
        levels = [square * LEVELS[encoder], noise * 4000]
        source = {"runs": [runs.fingerprint(folder)], "stage": stage}
        ids = [f"image{fold}-{number}" for number in range(2)]
        truths = [square, np.zeros_like(square)]
        make_maps.write(out, levels, truths, ids, [fold] * 2, **source)

    monkeypatch.setattr(backbones, "fit", fit)
    monkeypatch.setattr(steps, "predict_maps", predict_maps)
    monkeypatch.setattr(backbones.load, "network", _network)
    monkeypatch.setattr(backbones.cost, "flops", lambda network, size_px: 3 * 10**9)
    return made


def _network(folder):
    parameters = PARAMETERS[runs.read_study(folder).network.encoder]
    return keras.Sequential([keras.Input((parameters - 1,)), keras.layers.Dense(1)])


def compare(out, encoders=backbones.ENCODERS, stages=("1", "2"), overrides=SMALL):
    study = config.read(CONFIG, overrides)
    plan = backbones.Plan(tuple(encoders), (0,), tuple(stages))
    return backbones.compare(study, out / "records", out, plan, show, print)


def test_every_encoder_gets_a_row_with_the_figures_of_its_own_sweeps(tmp_path, calls):
    table = compare(tmp_path)
    assert table["encoder"].tolist() == list(backbones.ENCODERS)
    assert table["parameters"].tolist() == [22, 33, 44]
    assert table["seconds_per_epoch"].tolist() == [5.0, 5.0, 5.0]
    assert table["size_px"].tolist() == [1024, 1024, 1024]
    # efficientnetb4's square lies below the speck: only a smallest size keeps the speck away.
    assert table["threshold_mean_dice"].tolist() == pytest.approx([1.0, 0.5, 1.0])
    assert table["mean_dice"].tolist() == [1.0, 1.0, 1.0]
    assert table["pair_min_pixels"].tolist()[1] == 20
    assert table["all_empty_dice"].tolist() == [0.5, 0.5, 0.5]
    assert table["gflops"].tolist() == [3.0, 3.0, 3.0]
    assert table["seconds_per_step"].tolist() == [0.5, 0.5, 0.5]
    assert table["peak_memory_mb"].tolist() == [120.0, 120.0, 120.0]
    pd.testing.assert_frame_equal(backbones_table.read(tmp_path), table, check_dtype=False)
    study = runs.read_study(runs.finished(tmp_path / "runs" / "resnet34", 0))
    assert (study.network.encoder, study.name) == ("resnet34", "seresnext50-resnet34")


def test_stages_follow_one_another_and_a_second_call_fits_nothing(tmp_path, calls):
    first = compare(tmp_path, ("resnet18",))
    assert calls == [
        ("fit", "resnet18", "1"),
        ("fit", "resnet18", "2"),
        ("predict", "resnet18", "2"),
    ]
    calls.clear()
    both = compare(tmp_path, ("resnet18", "resnet34"))
    assert {encoder for _, encoder, _ in calls} == {"resnet34"}
    # What an encoder is behind hangs on the others.
    own = [name for name in first if not name.startswith(("behind", "permutation"))]
    pd.testing.assert_frame_equal(both[own].head(1), first[own])


def test_maps_of_another_stage_are_not_taken_for_those_wanted(tmp_path, calls):
    assert compare(tmp_path, ("resnet18",), ("1",))["stage"].tolist() == ["1"]
    calls.clear()
    assert compare(tmp_path, ("resnet18",), ("2",))["stage"].tolist() == ["2"]
    assert calls == [("fit", "resnet18", "2"), ("predict", "resnet18", "2")]


def test_weights_of_one_encoder_are_refused_before_any_fit(tmp_path, calls):
    own = (*SMALL, "network.encoder_weights=weights.h5")
    with pytest.raises(ValueError, match=r"weights\.h5, a file of seresnext50 alone"):
        compare(tmp_path, ("seresnext50", "resnet34"), overrides=own)
    assert not calls
    compare(tmp_path, ("seresnext50",), overrides=own)
    assert len(calls) == 3


def call(study, *more):
    arguments = ["--config", str(CONFIG), "--records", "none", "--out", str(study), *more]
    # With no smallest size that tells speck from square, the encoders differ.
    for override in (*SMALL, "operating_point.min_pixels=0,1"):
        arguments += ["--set", override]
    for encoder in ("efficientnetb4", "seresnext50"):
        arguments += ["--encoder", encoder]
    result = CliRunner().invoke(main, ["compare-backbones", *arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_command_prints_the_best_first_and_its_study_can_be_reported(tmp_path, calls):
    heading, *lines, last = call(tmp_path / "study").splitlines()
    assert [line.split()[0] for line in (heading, *lines)] == [
        "encoder",
        "seresnext50",
        "efficientnetb4",
    ]
    assert len({len(line) for line in (heading, *lines)}) == 1
    assert lines[0].split()[-4:] == ["1.0000", "0.5000", "500", "120"]
    assert last.endswith(f"tfptx report {tmp_path / 'study'}")
    rows = json.loads(call(tmp_path / "study", "--json"))
    assert [row["encoder"] for row in rows] == ["seresnext50", "efficientnetb4"]
    assert list(rows[0]) == list(backbones_table.COLUMNS)
    # The table on disk keeps the order that was asked for.
    written = backbones_table.read(tmp_path / "study")
    assert written["encoder"].tolist() == ["efficientnetb4", "seresnext50"]

    for run in (tmp_path / "study" / "runs").iterdir():
        for stage in ("1", "2"):
            runs.stage_folder(run, 0, stage).history_csv.unlink()
    text = page.write(tmp_path / "study", [], [], lambda share: None).read_text()
    assert re.search(r"best backbone, seresnext50", text)
    assert (tmp_path / "study" / "figures" / "joint.png").is_file()


def test_what_is_of_the_first_seed_alone_is_said(tmp_path, calls):
    note = "threshold and pair are the first seed's, scores means over 2 seeds"
    assert note in call(tmp_path / "two", "--seeds", "2")
    assert "first seed" not in call(tmp_path / "one")


def test_a_table_without_its_columns_is_refused(tmp_path):
    with pytest.raises(ValueError, match="make it with tfptx compare-backbones"):
        backbones_table.read(tmp_path)
    (tmp_path / "backbones.csv").write_text("encoder,mean_dice\nresnet34,0.8\n")
    with pytest.raises(ValueError, match="lacks parameters"):
        backbones_table.read(tmp_path)
    (tmp_path / "backbones.csv").write_text("")
    with pytest.raises(ValueError, match=r"backbones\.csv is no table .* compare-backbones"):
        backbones_table.read(tmp_path)


def test_folds_and_seeds_share_one_budget_and_differences_are_paired(tmp_path, calls):
    study = config.read(CONFIG, (*SMALL, "operating_point.min_pixels=0,1"))
    plan = backbones.Plan(("efficientnetb4", "seresnext50"), (0, 1), ("1",), num_seeds=2)
    table = backbones.compare(study, tmp_path / "records", tmp_path, plan, show, print)
    assert len(calls) == 2 * 2 * 2 * 2
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "efficientnetb4",
        "efficientnetb4-seed1",
        "seresnext50",
        "seresnext50-seed1",
    ]
    assert runs.folds(tmp_path / "runs" / "seresnext50-seed1") == [0, 1]
    seeds = [runs.read_study(runs.finished(run, 0)).seed for run in (tmp_path / "runs").iterdir()]
    assert sorted(seeds) == [0, 0, 1, 1]
    assert table["num_folds"].tolist() == table["num_seeds"].tolist() == [2, 2]
    assert table["num_images"].tolist() == [4, 4]
    assert table["epochs"].tolist() == [12, 12]
    worse, best = table.to_dict("records")
    assert worse["behind_best"] == pytest.approx(
        best["nested_mean_dice"] - worse["nested_mean_dice"]
    )
    assert worse["behind_best_low"] < worse["behind_best"] < worse["behind_best_high"]
    assert (best["behind_best"], best["behind_best_high"], best["permutation_p"]) == (0, 0, 1)
    assert backbones_table.best(table) == "seresnext50"


def test_encoders_are_compared_where_their_pairs_were_not_chosen(tmp_path, calls):
    """With one threshold for each image, each choice fails on the image that it did not see."""
    table = compare(tmp_path, ("efficientnetb4", "resnet18"))
    for row in table.to_dict("records"):
        point = tables.read_point(tmp_path / "sweeps" / row["encoder"] / "joint" / "point.json")
        nested = (point.nested_mean_dice, point.nested_low, point.nested_high)
        names = ("nested_mean_dice", "nested_low", "nested_high")
        assert tuple(row[name] for name in names) == pytest.approx(nested)
        assert row["mean_dice"] == point.mean_dice > row["nested_mean_dice"]


def test_the_seed_of_the_fits_draws_no_other_patients(tmp_path, calls):
    study = config.read(CONFIG, (*SMALL, "operating_point.min_pixels=0,1", "seed=1"))
    plan = backbones.Plan(("resnet18",), tuple(range(9)), ("1",))
    (row,) = backbones.compare(study, tmp_path, tmp_path, plan, show, print).to_dict("records")
    point = tables.read_point(tmp_path / "sweeps" / "resnet18" / "joint" / "point.json")
    names = ("nested_low", "nested_high")
    assert [row[name] for name in names] == pytest.approx([getattr(point, each) for each in names])


def test_of_a_tie_the_best_is_the_same_for_table_and_differences():
    """Both have one nested score, and the second one the better Dice on positives."""
    rows = {
        name: {"encoder": name, "nested_mean_dice": 0.5, "mean_dice": 0.75, "positive_dice": dice}
        for name, dice in (("resnet18", 0.5), ("resnet34", 0.6))
    }
    assert backbones_table.best(pd.DataFrame(rows.values())) == "resnet34"


def test_the_sweeps_of_a_study_are_replaced_only_when_told(tmp_path, calls):
    compare(tmp_path, ("resnet18",))
    places = backbones.folders_of_maps(tmp_path, "resnet18", [0])
    own, other = config.read(CONFIG, SMALL).operating_point, config.read(CONFIG).operating_point

    def swept(cells, overwrite):
        return steps.sweeps_of(places, cells, tmp_path / "study", print, overwrite)

    swept(other, False)
    before = (tmp_path / "study" / "joint" / "results.csv").read_text()
    with pytest.raises(ValueError, match=r"study/threshold holds the sweep .* pass --overwrite"):
        swept(own, False)
    assert (tmp_path / "study" / "joint" / "results.csv").read_text() == before
    swept(other, False)
    swept(own, True)
    assert (tmp_path / "study" / "joint" / "results.csv").read_text() != before
