"""This holds the asking of a fit to stop: SIGINT and SIGTERM wait for the state to be kept."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tfptx.training.processes import ALONE

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(ValueError):  # noqa: N818 - it is no fault
    """A fit was asked to stop and has kept its state."""


class Interruption:
    """Whether a fit was asked to stop, and by which signal.

    `is_any` tells of what this process knows whether any of the fit's knows it.
    """

    def __init__(self, is_any: Callable[[bool], bool] = ALONE.is_any) -> None:
        self._asked: signal.Signals | None = None
        self._is_any = is_any

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come, to this process or to another of the fit."""
        return self._is_any(self._asked is not None)

    def check(self) -> None:
        """Raise Interrupted where a signal has come: what can be kept is kept."""
        if self.is_asked:
            raise Interrupted(
                f"stopped by {self._asked.name if self._asked else 'a signal to another process'}; "
                "the state is kept, run the same command to go on"
            )

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; a second one ends the process as usual."""
        self._asked = signal.Signals(number)
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def watching(is_any: Callable[[bool], bool] = ALONE.is_any) -> Iterator[Interruption]:
    """Note SIGINT and SIGTERM while the block runs. Only the main thread can; others hear none."""
    interruption = Interruption(is_any)
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.ask) for number in SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
