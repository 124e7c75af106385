import subprocess
import sys

from tests.conftest import REPOSITORY


def test_a_server_is_asked_for_a_second_and_no_answer_is_wrong():
    command = [sys.executable, REPOSITORY / "tools" / "load_test", "--seconds", "1"]
    done = subprocess.run(
        [*command, "--clients", "2", "--side", "64", "--most-growth", "4000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0 wrong" in done.stdout
