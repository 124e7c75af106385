import pytest
from click.testing import CliRunner

from tfptx.cli.main import main


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
