import json

import pytest
from click.testing import CliRunner

from tests.scans import make_dicom
from tests.serving import threshold_model
from tfptx.cli.main import main
from tfptx.serving import models


def call(folder, *options):
    given = [str(folder / "in"), "--model", str(folder / "export"), "--out", str(folder / "out")]
    return CliRunner().invoke(main, ["watch", *given, "--settle-seconds", "0", *options])


def test_what_is_there_is_predicted_once(tmp_path, monkeypatch):
    monkeypatch.setattr(
        models, "identify", lambda where: threshold_model.identified(where, threshold_model.answer)
    )
    threshold_model.write(tmp_path / "export")
    make_dicom.write(tmp_path / "in" / "scan.dcm", SOPInstanceUID="1.2.3")
    result = call(tmp_path, "--once")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert line[:2] == "20"
    assert "done: mask, 900 px" in line
    read = json.loads((tmp_path / "out" / "outbox" / "1.2.3" / "result.json").read_text())
    assert read["model"]["name"] == "export"
    assert call(tmp_path, "--once").stdout == ""


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--generate-uids"], 2, "--generate-uids is for --segmentations"),
        (["--settle-seconds", "nan"], 2, "no finite number"),
        ([], 1, "error: no folder at"),
    ],
)
def test_what_can_not_be_watched_is_told_in_a_line(tmp_path, options, code, message):
    result = call(tmp_path, *options)
    assert result.exit_code == code
    assert message in result.stderr
