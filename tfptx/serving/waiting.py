"""This holds the waiting for a model or a disk that fails, until it is back."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tfptx.serving.faults import NoAnswerError, OtherModelError

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Waiting:
    """Who is told of a failure, and whether to fail at `once` instead of waiting."""

    announce: Callable[[str], None]
    once: bool = False

    def until_done(self, work: Callable[[], Result]) -> Result:
        """Do work again until neither model nor storage fails, and give what it gives.

        Raises OtherModelError, and with `once` NoAnswerError or OSError at the first failure. No
        path stands in either, since files are called by patients.
        """
        wait_seconds = FIRST_WAIT_SECONDS
        while True:
            try:
                return work()
            except NoAnswerError as error:
                if self.once or isinstance(error, OtherModelError):
                    raise
                reason = str(error)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                if self.once:
                    raise OSError(error.errno, reason) from error
            self.announce(f"nothing can be done: {reason}; tried again in {wait_seconds:g} s")
            time.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)
