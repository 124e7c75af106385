"""This holds the peak memory of a fit: the device's, or the process's where that is the device."""

import contextlib
import re
from pathlib import Path

import keras
import tensorflow as tf

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # proc_pid_clear_refs(5)


def reset() -> None:
    """Begin anew; on a processor only Linux can, elsewhere the peak is the process's whole life."""
    for name in _gpus_of_tensorflow():
        tf.config.experimental.reset_memory_stats(name)
    # Some containers forbid it.
    with contextlib.suppress(OSError):
        _CLEAR.write_text(_RESET_PEAK)


def peak_mb() -> float:
    """The most memory in use since `reset`, in millions of bytes; NaN where nothing tells it.

    On the JAX backend it is the most since the process began.
    """
    if peaks := _of_jax():
        return max(peaks) / 1e6
    if names := _gpus_of_tensorflow():
        peaks = [tf.config.experimental.get_memory_info(name)["peak"] for name in names]
        return float(max(peaks)) / 1e6
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text()) if _STATUS.exists() else None
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


def _of_jax() -> list[int]:
    """The peaks in bytes of this process's devices, none where JAX is not in use or not told."""
    if keras.config.backend() != "jax":
        return []
    import jax  # noqa: PLC0415 - not all have it

    told = (device.memory_stats() for device in jax.local_devices())
    return [each["peak_bytes_in_use"] for each in told if each]


def _gpus_of_tensorflow() -> list[str]:
    """The GPUs that TensorFlow computes on: those of JAX are hidden from it, but still listed."""
    devices = tf.config.get_visible_devices("GPU")
    return [str(device.name).removeprefix("/physical_device:") for device in devices]
