import subprocess
import sys

import pytest
from click.testing import CliRunner

from tfptx.cli.main import main
from tfptx.scans import sources

SMALL = ["phantom", "--count", "4", "--size", "32", "--prevalence", "0.5", "--workers", "2"]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_set_is_written_and_told(tmp_path):
    result = run(*SMALL, "--out", tmp_path / "set")
    assert result.exit_code == 0
    assert "4 images of" in result.stdout
    assert result.stdout.endswith("2 positive\n")
    assert {path.name for path in (tmp_path / "set").iterdir()} == {
        "dicom-images-train",
        "train-rle.csv",
        "patients.csv",
    }
    assert len(sources.find(tmp_path / "set" / "dicom-images-train")) == 4


def test_a_set_is_kept_unless_told_and_other_folders_always(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("mine")
    for options, message in (([], "exists already"), (["--overwrite"], "is not replaced")):
        result = run(*SMALL, "--out", tmp_path / "set", *options)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
    assert (tmp_path / "set" / "mine.txt").read_text() == "mine"
    assert run(*SMALL, "--out", tmp_path / "own").exit_code == 0
    (tmp_path / "own" / "old.txt").touch()
    assert run(*SMALL, "--out", tmp_path / "own").exit_code == 1
    assert run(*SMALL, "--out", tmp_path / "own", "--overwrite").exit_code == 0
    assert not (tmp_path / "own" / "old.txt").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--prevalence", "1.2"), ("--prevalence", "-0.1"), ("--count", "0"), ("--size", "8")],
)
def test_wrong_numbers_are_wrong_usage(option, value, tmp_path):
    result = run(*SMALL, "--out", tmp_path / "set", option, value)
    assert result.exit_code == 2
    assert option in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_draws_nothing_in():
    code = (
        "import sys; from tfptx.cli.main import main\n"
        "try: main(['phantom', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'cv2', 'numpy', 'pydicom', 'pandas', 'tensorflow'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
