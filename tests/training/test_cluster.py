"""The refusal of a cluster that can't be; what joins is tested with the devices."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("jax")


def test_a_cluster_that_nobody_describes_is_refused():
    code = "from tfptx.training.cluster import Cluster, joined\nwith joined(Cluster()): pass"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError: the processes of this fit don't find each other; give each")
