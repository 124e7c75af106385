"""A fit on several devices and in several processes is that on one, also after a kill.

What runs is the command, in processes of its own: two logical devices, or two processes.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tests import tiny_study
from tests.conftest import REPOSITORY
from tests.training import small_network
from tfptx import runs
from tfptx.training import devices
from tfptx.training.devices import ONE, Devices
from tfptx.training.processes import Processes

pytest.importorskip("jax")

# Not to compile well, but soon.
XLA_FLAGS = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
TWO_DEVICES = " --xla_force_host_platform_device_count=2"
SECONDS = 300  # after which something hangs
COSTS = ["seconds", "seconds_per_step", "peak_memory_mb"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    tiny_study.write_records(folder)
    small_network.write_config(folder / "study.toml")
    return folder


def begin(folder, run, *options, xla_flags=XLA_FLAGS):
    command = [sys.executable, "-m", "tests.training.small_network", "fit", "--stage", "1"]
    command += ["--config", folder / "study.toml", "--records", folder / "records"]
    return subprocess.Popen(
        [*command, "--run", folder / run, *options],
        env=os.environ
        | {
            "KERAS_BACKEND": "jax",
            "XLA_FLAGS": xla_flags,
            # A fit that goes on compiles what it has compiled before.
            "JAX_COMPILATION_CACHE_DIR": str(folder / "cache"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
        },
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process, code=0):
    """What a process says on stderr."""
    stderr = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == code, stderr
    return stderr


def wait_for_state(run):
    until = time.monotonic() + SECONDS
    while not any(run.state.glob("epoch*")) and time.monotonic() < until:
        time.sleep(0.05)


def begin_two(folder, run, xla_flags=("", ""), more=((), ())):
    """Both processes, each with flags and options of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    cluster = ["--devices", "multi-worker", "--coordinator-address", address]
    cluster += ["--num-processes", "2", "--process-id"]
    return [
        begin(folder, run, *cluster, str(index), *more[index], xla_flags=XLA_FLAGS + flags)
        for index, flags in enumerate(xla_flags)
    ]


@pytest.fixture(scope="module")
def fits(folder):
    """A fit on one device, and on two of one process."""
    on_one = begin(folder, "one")
    on_two = begin(folder, "two", "--devices", "cpu", xla_flags=XLA_FLAGS + TWO_DEVICES)
    end(on_one)
    end(on_two)
    return [runs.stage_folder(folder / name, 0, "1") for name in ("one", "two")]


@pytest.fixture
def one(fits):
    return fits[0]


def assert_ends_like(found, expected):
    """The same but for what so small a network makes of rounding.

    On one device, too, other options of the compiler move losses of the second epoch by a part of
    10^4. `callbacks/test_synchronised.py` is the strict test.
    """
    histories = [runs.read_history(each).drop(columns=COSTS) for each in (found, expected)]
    pd.testing.assert_frame_equal(*histories, rtol=1e-3, atol=1e-6)
    weights, others = (read(each.best_weights) for each in (found, expected))
    assert weights.keys() == others.keys()
    for name, values in weights.items():
        np.testing.assert_allclose(values, others[name], rtol=1e-2, atol=1e-3, err_msg=name)
    assert runs.read_result(found)["epochs"] == runs.read_result(expected)["epochs"]


def read(path: Path):
    """Every weight of a file by its name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def test_two_devices_fit_as_one(fits):
    """All callbacks at work: layers join, terms and rates move, states are kept."""
    one, two = fits
    history = runs.read_history(one)
    assert history["trainable_groups"].nunique() == 2
    assert history["lovasz_hinge_weight"].tolist() == [0, 0.75]
    assert_ends_like(two, one)
    facts = [runs.read_environment(each) for each in fits]
    assert [each["devices"] for each in facts] == [1, 2]
    assert {each["backend"] for each in facts} == {"jax"}


def test_two_processes_of_which_one_is_killed_go_on_and_fit_as_one_device(folder, one):
    run = runs.stage_folder(folder / "processes", 0, "1")
    first, second = begin_two(folder, "processes")
    wait_for_state(run)
    second.send_signal(signal.SIGKILL)
    assert "another process of this fit has ended, or can't be reached; see" in end(first, 1)
    end(second, -signal.SIGKILL)
    assert not run.is_finished
    for process in begin_two(folder, "processes"):
        end(process)
    assert_ends_like(run, one)


def test_a_fit_on_jax_that_is_killed_between_two_accumulated_batches_ends_like_one_that_was_not(
    folder,
):
    """The sum of the gradients so far is part of the state, and everything is equal to the bit."""
    options = [
        "--set",
        "stage.1.accumulated_batches=2",
        "--set",
        "stage.1.checkpoint_every_steps=3",
    ]
    whole, killed = (runs.stage_folder(folder / name, 0, "1") for name in ("whole", "killed"))
    end(begin(folder, "whole", *options))
    process = begin(folder, "killed", *options)
    wait_for_state(killed)
    process.kill()
    end(process, -signal.SIGKILL)
    assert not killed.is_finished
    end(begin(folder, "killed", *options))
    histories = [runs.read_history(each).drop(columns=COSTS) for each in (killed, whole)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    weights, others = (read(each.best_weights) for each in (killed, whole))
    assert weights.keys() == others.keys()
    for name, values in weights.items():
        np.testing.assert_array_equal(values, others[name], err_msg=name)


def test_processes_of_which_one_has_more_devices_are_refused(folder):
    for process in begin_two(folder, "uneven", xla_flags=("", TWO_DEVICES)):
        assert "error: the processes of this fit have 1, 2 devices; give each as" in end(process, 1)
    assert not (folder / "uneven").exists()


def test_a_process_that_cannot_begin_ends_all_and_says_why(folder):
    first, second = begin_two(folder, "unequal", more=((), ("--start-from", "nothing")))
    assert "error: process 1 of this fit can't begin, and says why" in end(first, 1)
    assert "nothing" in end(second, 1)
    assert not (folder / "unequal").exists()


def test_only_one_process_that_is_to_overwrite_is_refused_and_what_stands_stays(folder, one):
    run = runs.stage_folder(folder / "kept", 0, "1")
    shutil.copytree(one.path, run.path)
    for process in begin_two(folder, "kept", more=(("--overwrite",), ())):
        assert "error: process 1 has other --overwrite than process 0" in end(process, 1)
    assert run.is_finished


def test_sigterm_to_one_process_keeps_the_state_and_ends_both(folder):
    run = runs.stage_folder(folder / "stopped", 0, "1")
    processes = begin_two(folder, "stopped")
    wait_for_state(run)
    processes[1].terminate()
    for process in processes:
        assert "the state is kept" in end(process, 1)
    assert run.state.is_dir()
    assert not run.is_finished


def test_a_batch_that_devices_cannot_share_is_refused():
    with pytest.raises(ValueError, match=r"stage\.1\.batch_size is 4, which 3 devices can't share"):
        Devices(("cpu:0", "cpu:1", "cpu:2")).check(4, "1")
    Devices(("cpu:0", "cpu:1")).check(4, "1")
    ONE.check(5, "1")


def test_tensorflow_has_one_device_and_names_the_way_to_more():
    assert devices.found("auto") == ONE
    for kind, processes in (("gpu", ONE.processes), ("auto", Processes(0, 2))):
        with pytest.raises(ValueError, match=r"one device, .* with KERAS_BACKEND=jax"):
            devices.found(kind, processes)
