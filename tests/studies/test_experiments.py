"""The paper's three experiments by one command, on a handful of phantoms."""

import pandas as pd
from click.testing import CliRunner

from tests import tiny_study
from tfptx.cli.main import main
from tfptx.operating_point import tables


def study(records, out):
    settings = [part for each in tiny_study.OVERRIDES for part in ("--set", each)]
    places = ["--config", tiny_study.CONFIG, "--records", records, "--out", out]
    more = ["--encoder", "resnet18", "--stage", "1"]
    result = CliRunner().invoke(main, ["study", *map(str, places), *more, *settings])
    assert result.exit_code == 0, result.output
    return result


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
