"""The refusal of a cluster that can't be; what joins is tested with the devices."""

import os
import socket
import subprocess
import sys

import pytest

pytest.importorskip("jax")


def run(code):
    return subprocess.run(
        [sys.executable, "-c", f"from tfptx.training.cluster import Cluster, joined\n{code}"],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def free_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_a_cluster_that_nobody_describes_is_refused():
    last = run("with joined(Cluster()): pass").stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError: the processes of this fit don't find each other; give each")


@pytest.mark.parametrize("index", [0, 1])
def test_a_process_that_waits_in_vain_says_so_before_jax_aborts_it(free_address, index):
    done = run(f"with joined(Cluster('{free_address}', 2, {index}), 2): pass")
    assert done.returncode == 1, done.stderr
    assert "ValueError: the processes of this fit don't find each other" in done.stderr
    assert "nobody else came within 2 s" in done.stderr


def test_a_process_that_waits_heeds_ctrl_c(free_address):
    code = "import _thread, threading; threading.Timer(1, _thread.interrupt_main).start()"
    done = run(f"{code}\nwith joined(Cluster('{free_address}', 2, 0)): pass")
    assert done.returncode == 1
    assert "KeyboardInterrupt" in done.stderr


def test_sigterm_stays_with_python(free_address):
    done = run(
        "import os, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        f"with joined(Cluster('{free_address}', 1, 0)):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    assert done.returncode == 7, done.stderr
