import os
import subprocess

import pytest

from tests.conftest import REPOSITORY

# As Debian's without python3-venv: it leaves bin/python behind, says much, and fails.
WITHOUT_ENSUREPIP = """#!/bin/sh
[ "$1" = -c ] && exit 0
mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
echo "The virtual environment was not created successfully"
echo "because ensurepip is not available."
exit 1
"""


@pytest.fixture
def make_venv(tmp_path):
    """Runs the script with that Python, for the environment `venv`."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python3.11"
    python.write_text(WITHOUT_ENSUREPIP)
    python.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "TFPTX_VENV": str(tmp_path / "venv"),
    }

    def run():
        return subprocess.run(
            [REPOSITORY / "tools" / "make_venv"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_failed_environment_is_one_line_each_time_and_is_removed(make_venv, tmp_path):
    for _ in range(2):
        done = make_venv()
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: python3.11 can't make a virtual environment in ")
        assert done.stderr.endswith("install python3-venv\n")
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "venv").exists()


def test_a_folder_that_stood_before_is_kept(make_venv, tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").touch(mode=0o755)
    (tmp_path / "venv" / "mine").touch()
    assert make_venv().stderr.endswith("install python3-venv\n")
    assert (tmp_path / "venv" / "mine").exists()
