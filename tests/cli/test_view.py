"""The command `view`: what it serves, and what it refuses in one line."""

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from tests.studies.report import make_study
from tfptx.cli.main import main


def test_it_prints_its_address_serves_there_and_ends_quietly(tmp_path):
    make_study.write_maps(tmp_path / "maps")
    command = [sys.executable, "-c", "from tfptx.cli.main import main; main()", "view", "maps"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url) as answer:
            assert b"Cases of maps" in answer.read()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_what_can_not_be_browsed_is_one_line_and_exit_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_study.write_maps(tmp_path / "maps")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, message in (
            (["nowhere"], "nowhere holds neither records nor maps"),
            (["maps", "--point", "none.json"], "no none.json"),
            (["maps", "--port", port], "choose another --port"),
        ):
            result = CliRunner().invoke(main, ["view", *arguments])
            assert result.exit_code == 1
            assert result.stderr.startswith("error: ")
            assert message in result.stderr
            assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("more", [["maps"], ["--point", "point.json"]])
def test_records_are_browsed_alone(tmp_path, more):
    (tmp_path / "manifest.json").write_text("{}")
    result = CliRunner().invoke(main, ["view", str(tmp_path), *more])
    assert result.exit_code == 2
    assert "one folder at a time" in result.stderr
