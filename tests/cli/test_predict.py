import sys

import pytest
from click.testing import CliRunner

from tests.scans import make_dicom
from tests.serving import threshold_model
from tfptx.cli.main import main
from tfptx.serving import models


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "out", "scans"], "no export at model"),
        (["--out", "out", "missing"], "no folder at missing"),
        (["--out", "out", "empty"], "empty holds no scan"),
        (["--out", ".", "scans"], "exists already"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "model", "scans"):
        (tmp_path / name).mkdir()
    (tmp_path / "scans" / "scan.png").write_bytes(b"")
    result = CliRunner().invoke(main, ["predict", "--model", "model", *arguments])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_no_files_are_wrong_usage():
    result = CliRunner().invoke(main, ["predict", "--model", "model", "--out", "out"])
    assert result.exit_code == 2


def test_a_server_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scan.png").write_bytes(b"")
    arguments = ["predict", "--model", "ftp://localhost/tfptx", "--out", "out", "scan.png"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ftp://localhost/tfptx is no address of a model")
    assert result.stderr.count("\n") == 1


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of scans, and a model that needs no TensorFlow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        models, "identify", lambda where: threshold_model.identified(where, threshold_model.answer)
    )
    threshold_model.write(tmp_path / "export")
    make_dicom.write(tmp_path / "scans" / "spot.dcm", StudyInstanceUID="")
    make_dicom.write(tmp_path / "scans" / "dark.dcm", level=50)
    make_dicom.write(tmp_path / "scans" / "side.dcm", ViewPosition="LL")
    return tmp_path


def predict(*options):
    given = ["predict", "--model", "export", "--out", "out", "scans", *options]
    return CliRunner().invoke(main, given)


def test_what_was_found_and_what_was_not_is_told(place):
    pytest.importorskip("highdicom")
    (place / "scans" / "cut.dcm").write_bytes(b"")
    result = predict("--segmentations")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "out: 1 of 2 images with a pneumothorax\n"
    assert result.stderr.splitlines() == [
        "1 file can't be read, see out/findings.csv",
        "1 file left out, see out/skipped.csv",
        "1 file with a mask but no DICOM Segmentation, see out/findings.csv",
    ]
    result = predict("--segmentations", "--generate-uids", "--take", "chest", "--overwrite")
    assert result.stdout == "out: 2 of 3 images with a pneumothorax\n"
    assert result.stderr == "1 file can't be read, see out/findings.csv\n"
    made = sorted(path.name for path in (place / "out" / "segmentations").iterdir())
    assert made == ["side.dcm", "spot.dcm"]


def test_where_there_is_nothing_to_predict_the_reasons_are_told(place):
    (place / "scans" / "spot.dcm").unlink()
    (place / "scans" / "dark.dcm").unlink()
    result = predict()
    assert result.exit_code == 1
    assert result.stderr == (
        "error: none of 1 files can be predicted: 1 x view LL, not PA or AP (as side.dcm)\n"
    )
    assert not (place / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--generate-uids"], "--generate-uids is for --segmentations"),
        (["--", "--runner=FlinkRunner"], "'--runner=FlinkRunner' is an option of Beam"),
        (["--take", "all"], "'all' is not one of"),
    ],
)
def test_options_that_do_not_belong_are_wrong_usage(place, options, message):
    result = predict(*options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_missing_packages_are_named_before_any_work(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "tfptx.serving.beam", raising=False)
    result = predict("--runner", "beam")
    assert result.exit_code == 1
    assert result.stderr.endswith("pip install 'tfptx[beam]'\n")
    monkeypatch.setitem(sys.modules, "highdicom", None)
    result = predict("--segmentations")
    assert result.exit_code == 1
    assert result.stderr.endswith("pip install 'tfptx[dicom-seg]'\n")
    assert not (place / "out.partial").exists()
