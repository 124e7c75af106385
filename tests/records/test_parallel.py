import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfptx.records import parallel

TASKS = range(2 * parallel.TASKS_PER_PROCESS)


def squared(number):
    time.sleep(0.02 * (number % 3))  # so that they end in another order
    return number**2, os.getpid()


def killed_at_seven(number):
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)


def noted(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def is_alive(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    # One that has ended waits for its parent to ask.
    return " Z " not in Path(f"/proc/{process_id}/stat").read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    results = list(parallel.in_processes(squared, TASKS, workers))
    assert [value for value, _ in results] == [number**2 for number in TASKS]
    processes = {process for _, process in results}
    assert (os.getpid() in processes) == (workers == 1)


def test_few_tasks_need_no_processes():
    results = parallel.in_processes(squared, TASKS[:-1], 2)
    assert {process for _, process in results} == {os.getpid()}


def test_few_results_wait():
    begun = []
    results = parallel.in_threads(begun.append, range(100), 2)
    next(results)
    time.sleep(0.1)
    assert len(begun) <= 6
    results.close()
    assert len(begun) <= 6


def test_what_a_task_raises_ends_the_others():
    def failing(number):
        raise ValueError(f"task {number}")

    with pytest.raises(ValueError, match="task 0"):
        list(parallel.in_threads(failing, range(100), 2))


def test_a_worker_that_is_killed_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"a worker process was killed.*fewer --workers"):
        list(parallel.in_processes(killed_at_seven, TASKS, 2))


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_workers_end_with_a_process_that_is_killed(tmp_path):
    code = (
        "from tests.records.test_parallel import noted\n"
        "from tfptx.records import parallel\n"
        "if __name__ == '__main__':\n"
        f"    list(parallel.in_processes(noted, [{str(tmp_path)!r}] * 64, 2))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    while len(found := list(tmp_path.iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    workers = [int(path.name) for path in found]
    until = time.monotonic() + 10
    while any(map(is_alive, workers)):
        assert time.monotonic() < until
        time.sleep(0.05)
