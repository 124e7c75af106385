"""What callbacks assign reaches the step that JAX compiles, on one device and on two."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.training import moving

pytest.importorskip("jax")


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    """What `moving` gives on JAX, by the names of its files."""
    folder = tmp_path_factory.mktemp("jax")
    environment = {
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.moving", folder],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {path.stem: dict(np.load(path)) for path in folder.iterdir()}


# Batch norm takes out what the bias before it adds, so that its gradient is rounding alone, of
# which Adam makes steps; the mean follows it.
OF_ROUNDING = {"deep/bias", "deep_norm/moving_mean"}


def assert_close(found, expected):
    assert found.keys() == expected.keys() > OF_ROUNDING
    for name in expected.keys() - OF_ROUNDING:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_fit_on_jax_is_that_on_tensorflow(on_jax):
    """TensorFlow's variables are what the step reads, so its fit shows what is meant."""
    assert_close(on_jax["one"], moving.moved())


def test_two_devices_clip_and_normalise_the_batch_as_one_does(on_jax):
    """Each device has one image of two: statistics and norms of their own would be others."""
    assert_close(on_jax["two"], on_jax["one"])
    # The clip is at work.
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(on_jax["two_unclipped"], on_jax["two"])
