import json

import pandas as pd
from click.testing import CliRunner

from tests import unfitted_run
from tfptx.cli.main import main


def run(*arguments, exit_code=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == exit_code, result.output
    return result


def test_from_a_run_to_masks_by_files_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, made = unfitted_run.write_records(tmp_path, count=8)
    unfitted_run.write_run(tmp_path / "runs", made.fingerprint, folds=[0])
    done = run("predict-maps", "--fold", 0, "--out", "maps")
    assert "maps: maps of" in done.stdout
    assert "by 1 network, stage 2 at 64 px" in done.stdout
    run("sweep", "joint", "maps", "--out", "study", "--thresholds", "0.3:0.7:0.1")
    point = tmp_path / "study" / "joint" / "point.json"
    assert run("export", "--point", point, "--out", "export").stdout == "export/1\n"
    content = json.loads(point.read_text())
    content["runs"] = ["another"]
    point.write_text(json.dumps(content))
    refused = run("export", "--point", point, "--out", "export", exit_code=1)
    assert refused.stderr.count("\n") == 1
    assert "--any-point" in refused.stderr
    (tmp_path / "images" / "broken.png").write_bytes(b"no picture")
    done = run("predict", "--model", "export", "--out", "predictions", "images")
    assert "of 8 images" in done.stdout
    assert "1 file can't be read, see predictions/findings.csv" in done.stderr
    assert len(pd.read_csv("predictions/predictions.csv")) == 8
    assert len(list((tmp_path / "predictions" / "overlays").iterdir())) == 8


def test_no_point_is_wrong_usage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Missing option '--point'" in run("export", "--out", "export", exit_code=2).stderr
    missing = run("export", "--out", "export", "--point", "point.json", exit_code=1)
    assert "no point.json at point.json" in missing.stderr
    assert list(tmp_path.iterdir()) == []
