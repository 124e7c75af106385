import json

import pytest
from click.testing import CliRunner

from tests.scans import make_dicom
from tests.serving.test_predictor import contents
from tfptx.cli.main import main

pytest.importorskip("apache_beam", reason="Apache Beam is not installed: pip install tfptx[beam]")
# A warning of the parser is no error outside of tests.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Nine DICOMs, of which three are left and one fails."""
    folder = tmp_path_factory.mktemp("tree")
    for at in range(9):
        attributes = {"ViewPosition": "LL"} if at % 3 == 2 else {}
        make_dicom.write(folder / f"IM{at}", level=220 if at % 2 else 60, **attributes)
    (folder / "IM0").write_bytes((folder / "IM0").read_bytes()[:-40])
    return folder


def predict(export, tree, out, *options):
    given = ["predict", "--model", str(export), "--out", str(out), str(tree)]
    return CliRunner().invoke(main, [*given, *options])


def test_beam_writes_what_the_local_run_writes(bright_export, tree, tmp_path):
    results = {
        runner: predict(bright_export, tree, tmp_path / runner, "--runner", runner)
        for runner in ("local", "beam")
    }
    for runner, result in results.items():
        assert result.exit_code == 0, result.stderr
        assert result.stdout == f"{tmp_path / runner}: 3 of 5 images with a pneumothorax\n"
    assert contents(tmp_path / "beam") == contents(tmp_path / "local")
    told = [json.loads((tmp_path / name / "predictions.json").read_text()) for name in results]
    assert told[0]["counts"] == told[1]["counts"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beam", "local"]


def test_options_of_beam_follow_two_dashes(bright_export, tree, tmp_path):
    given = ("--runner", "beam", "--", "--runner=NoSuchRunner")
    result = predict(bright_export, tree, tmp_path / "out", *given)
    assert result.exit_code == 1
    assert "NoSuchRunner" in result.stderr
    assert result.stderr.count("\n") == 1
