"""The paper's three experiments by one command, on a handful of phantoms."""

import pandas as pd
import pytest
from click.testing import CliRunner

from tests import tiny_study
from tests.operating_point import make_maps
from tfptx import runs
from tfptx.cli.main import main
from tfptx.operating_point import sweep, tables
from tfptx.studies import experiments
from tfptx.studies.backbones import Plan


def study(records, out, *more):
    result = call(records, out, *more)
    assert result.exit_code == 0, result.output
    return result


def call(records, out, *further):
    settings = [part for each in tiny_study.OVERRIDES for part in ("--set", each)]
    places = ["--config", tiny_study.CONFIG, "--records", records, "--out", out]
    more = ["--encoder", "resnet18", "--stage", "1", *further]
    return CliRunner().invoke(main, ["study", *map(str, places), *more, *settings])


def test_a_study_compares_sweeps_judges_and_reports_and_goes_on_where_it_was_cut_off(tmp_path):
    records, out = tiny_study.write_records(tmp_path, test_share=0.3), tmp_path / "study"
    first = study(records, out)
    table = pd.read_csv(out / "backbones.csv")
    assert table["encoder"].tolist() == ["resnet18"]
    assert table["gflops"].item() > 0.1
    assert table["peak_memory_mb"].item() > 100
    for kind in ("threshold", "joint"):
        point = tables.read_point(out / kind / "point.json")
        assert point.label in first.stdout
    judged = tables.read_point(out / "test" / "point.json")
    assert judged == tables.read_point(out / "joint" / "point.json")
    assert "the pair on the test share" in first.stdout
    assert (out / "report.html").is_file()

    weights = out / "runs" / "resnet18" / "fold0" / "stage1" / "best.weights.h5"
    written = weights.stat().st_mtime_ns
    (out / "backbones.csv").unlink()
    again = study(records, out)
    assert weights.stat().st_mtime_ns == written
    assert again.stdout == first.stdout

    maps, finer = out / "maps" / "resnet18" / "fold0", "0.4:0.6:0.0125"
    swept = ["sweep", "joint", str(maps), "--out", str(out), "--thresholds", finer, "--overwrite"]
    assert CliRunner().invoke(main, swept).exit_code == 0
    refused = call(records, out)
    assert refused.exit_code == 1
    assert f"{out / 'joint'} holds the sweep of other maps or another grid" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert study(records, out, "--overwrite").stdout == first.stdout


def test_the_test_share_is_judged_by_the_networks_of_the_plan(tmp_path, monkeypatch):
    """Fold 1 was fitted before, by another plan."""
    for fold in (0, 1):
        folder = runs.stage_folder(tmp_path / "run", fold, "1")
        folder.path.mkdir(parents=True)
        folder.config_toml.touch()
        folder.best_weights.write_bytes(bytes([fold]))
        runs.write_result(folder, {"epoch": 0, "epochs": 1})
    levels, truths = make_maps.draw(0, [(8, 8)] * 6)
    asked, shares = [], []

    def predict_maps(run_folders, records, fold, out, manner, advance, stage, network_folds):
        asked.append(network_folds)
        networks = [runs.finished(run_folders[0], fold, stage) for fold in network_folds]
        make_maps.write(out, levels, truths, runs=[*map(runs.fingerprint, networks)], stage=stage)
        advance(1.0)

    monkeypatch.setattr(experiments, "predict_maps", predict_maps)
    plan = Plan(("resnet18",), (0,), ("1",))
    axes = {"threshold": (0.5,), "min_pixels": (0,)}
    folder = make_maps.write(tmp_path / "maps", levels, truths)
    swept = sweep.run("joint", axes, [folder], None, lambda share: None)
    for _ in range(2):
        shares.clear()
        experiments._judge(tmp_path / "run", None, tmp_path, plan, swept, shares.append)
        assert sum(shares) == pytest.approx(1)
    assert asked == [(0,)]
