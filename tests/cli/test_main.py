import importlib
import inspect
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tfptx.cli.main import COMMANDS, main
from tfptx.operating_point import submissions


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from tfptx.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'albumentations'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "build-records" in done.stdout


def command_help(name):
    return inspect.getdoc(importlib.import_module(COMMANDS[name]).command.callback).splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_an_example(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    lines = map(str.strip, result.output.splitlines())
    examples = {line for line in lines if line.startswith(f"tfptx {name}")}
    assert examples
    # Whole lines, so that they can be copied.
    assert examples <= set(map(str.strip, command_help(name)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build-records", "--images", "none", "--out", "out"], "no folder at none"),
        (["build-records", "--images", ".", "--out", "."], "exists already"),
        (["verify-records", "none"], "no records at none"),
    ],
)
def test_bad_input_is_one_line_and_exit_1(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_tensorflow_raises_is_one_line_too(monkeypatch):
    import tensorflow as tf  # noqa: PLC0415 - the other tests here do without it

    def raising(context):
        raise tf.errors.DataLossError(None, None, "corrupted record at 0\n\t [[node]]")

    monkeypatch.setattr("click.Group.invoke", lambda self, context: raising(context))
    result = CliRunner().invoke(main, ["info", "x"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: corrupted record at 0; if a file is damaged")
    assert result.stderr.count("\n") == 1


def test_a_reader_that_leaves_is_no_error(tmp_path):
    submissions.write(tmp_path / "truth.csv", [("a", "0 4"), ("b", "-1")])
    code = "import sys; from tfptx.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "score", "truth.csv", "truth.csv"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_command_that_is_stopped_says_so_and_leaves_nothing(tmp_path):
    code = "import sys; from tfptx.cli.main import main; main(sys.argv[1:])"
    out = tmp_path / "phantoms"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "phantom", "--out", str(out), "--count", "500"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.glob(".writing-*/*")):
        assert process.poll() is None, process.communicate()
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert errors.splitlines()[-1] == "error: stopped by SIGTERM"
    assert list(tmp_path.iterdir()) == []
