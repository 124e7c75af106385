"""This holds the joining of a fit's processes, on one machine or several, by JAX's coordinator."""

import atexit
import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NoReturn

from tfptx.training.processes import Processes

# A machine that vanishes is missed after this time; a process that ends is at once.
HEARTBEAT_TIMEOUT_SECONDS = 60
FAREWELL_SECONDS = 2
# What JAX raises of devices and connections, under several types, begins with its status.
STATUS = re.compile(r"(UNKNOWN|INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED|ABORTED|CANCELLED): ")


@dataclass(frozen=True)
class Cluster:
    """Where the first process listens, how many there are, and which this one is.

    What is None is found by JAX where SLURM, Open MPI, Kubernetes or a TPU pod says it.
    """

    coordinator_address: str | None = None
    num_processes: int | None = None
    process_id: int | None = None


@contextlib.contextmanager
def joined(cluster: Cluster, timeout_seconds: int = 300) -> Iterator[Processes]:
    """Join the other processes while the block runs; all that JAX computes comes after that.

    Signals stay with Python. Raises ValueError where the processes don't find each other in time,
    where the cluster can't be as it is described, or where a process ends before its time.
    """
    import jax  # noqa: PLC0415 - not all have it

    index = cluster.process_id
    try:
        _initialize(cluster, timeout_seconds)
        index = jax.process_index()
        yield Processes(index, jax.process_count())
    except BaseException as error:
        # JAX would wait for the others when Python ends, and abort this process if they don't come.
        code = error.code if isinstance(error, SystemExit) else 1
        atexit.register(_leave, code if isinstance(code, int) else 1, index == 0)
        if isinstance(error, ValueError | RuntimeError) and STATUS.match(str(error)):
            raise ValueError(
                "another process of this fit has ended, or can't be reached; see what it says and "
                f"run the same commands again to go on from the state: {error}"
            ) from error
        raise


def _initialize(cluster: Cluster, timeout_seconds: int) -> None:
    """Do as `jax.distributed.initialize`, which by itself hears no signal and ends in an abort."""
    import jax  # noqa: PLC0415 - not all have it

    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]
    initialized: Future[None] = Future()

    def initialize() -> None:
        try:
            jax.distributed.initialize(
                cluster.coordinator_address,
                cluster.num_processes,
                cluster.process_id,
                initialization_timeout=2 * timeout_seconds,
                heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT_SECONDS,
            )
        except Exception as error:
            initialized.set_exception(error)
        else:
            initialized.set_result(None)

    threading.Thread(target=initialize, daemon=True).start()
    try:
        initialized.result(timeout_seconds)
    except (ValueError, RuntimeError, TimeoutError) as error:
        reason = str(error) or f"nobody else came within {timeout_seconds:.0f} s"
        raise ValueError(
            "the processes of this fit don't find each other; give each --coordinator-address "
            f"HOST:PORT, where process 0 runs, --num-processes and its own --process-id: {reason}"
        ) from error


def _leave(code: int, is_coordinator: bool) -> NoReturn:
    """End at once; JAX would abort the others if process 0 were gone before they have ended too."""
    sys.stdout.flush()
    if is_coordinator:
        time.sleep(FAREWELL_SECONDS)
    os._exit(code)
