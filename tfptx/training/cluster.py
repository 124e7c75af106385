"""This holds the joining of a fit's processes, on one machine or several, by JAX's coordinator."""

import atexit
import contextlib
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from tfptx.training.processes import Processes

# A machine that vanishes is missed after this time; a process that ends is at once.
HEARTBEAT_TIMEOUT_SECONDS = 60
RETRY_SECONDS = 0.5
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

    SIGTERM stays with Python: JAX would take it for itself. Raises ValueError where process 0 can't
    be reached, where the cluster can't be as it is described, or where a process ends before its
    time. Where process 0 waits in vain for another one, JAX aborts it with lines of its own.
    """
    import jax  # noqa: PLC0415 - not all have it

    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]
    if cluster.coordinator_address and cluster.process_id:
        _reach(cluster.coordinator_address, timeout_seconds)
    try:
        jax.distributed.initialize(
            cluster.coordinator_address,
            cluster.num_processes,
            cluster.process_id,
            initialization_timeout=timeout_seconds,
            heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT_SECONDS,
        )
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            "the processes of this fit don't find each other; give each --coordinator-address "
            f"HOST:PORT, where process 0 runs, --num-processes and its own --process-id: {error}"
        ) from error
    try:
        yield Processes(jax.process_index(), jax.process_count())
    except BaseException as error:
        # JAX would wait for the others when Python ends, and abort this process if they don't come.
        code = error.code if isinstance(error, SystemExit) else 1
        atexit.register(_leave, code if isinstance(code, int) else 1)
        if isinstance(error, ValueError | RuntimeError) and STATUS.match(str(error)):
            raise ValueError(
                "another process of this fit has ended, or can't be reached; see what it says and "
                f"run the same commands again to go on from the state: {error}"
            ) from error
        raise


def _reach(address: str, timeout_seconds: float) -> None:
    """Wait until process 0 listens, for JAX aborts a process that waits for it in vain."""
    host, _, port = address.rpartition(":")
    until = time.monotonic() + timeout_seconds
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=RETRY_SECONDS).close()
        except OSError as error:
            if time.monotonic() > until:
                raise ValueError(
                    f"nothing listens at {address} after {timeout_seconds:.0f} s; start process 0 "
                    f"there, and give all processes its --coordinator-address: {error}"
                ) from error
            time.sleep(RETRY_SECONDS)
        else:
            return


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    os._exit(code)
