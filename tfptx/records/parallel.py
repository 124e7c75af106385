"""This holds work in parallel: results in the order of the tasks, few of them waiting."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_WAITING_PER_WORKER = 2  # enough that none idles; more would only take memory
TASKS_PER_PROCESS = 16  # of fewer the start of a process takes more time than it saves
_PRELOADED = ["tfptx.records.spool"]


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Give each task's result in turn; the function and its tasks go to processes by pickle.

    The processes end with this one, however it ends. For few tasks there are threads instead.
    Raises ValueError where a process was killed.
    """
    if workers == 1 or len(tasks) < workers * TASKS_PER_PROCESS:
        yield from in_threads(function, tasks, workers)
        return
    # TensorFlow's threads do not survive a fork: what forks is a process that never imports it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    try:
        pool = ProcessPoolExecutor(workers, context, _end_with_parent)
        yield from _in_turn(pool, function, tasks, workers)
    except BrokenProcessPool as error:
        raise ValueError(
            "a worker process was killed, perhaps for want of memory; run the same command again, "
            "which goes on from here, with fewer --workers"
        ) from error


def in_threads(
    function: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Iterator[Result]:
    """Give each task's result in turn; the function is called from several threads."""
    yield from _in_turn(ThreadPoolExecutor(workers), function, tasks, workers)


def _in_turn(
    pool: Executor, function: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > _WAITING_PER_WORKER * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # After an error what waits is not begun.
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one that began it is killed, which closes no queue."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
