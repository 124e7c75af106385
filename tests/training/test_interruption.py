import signal
import threading

import pytest

from tfptx.training import interruption
from tfptx.training.interruption import Interrupted


@pytest.mark.parametrize("number", interruption.SIGNALS)
def test_a_signal_is_noted_and_raised_when_asked_for(number):
    before = signal.getsignal(number)
    with interruption.watching() as found:
        found.check()
        assert not found.is_asked
        signal.raise_signal(number)
        assert found.is_asked
        # A second one ends the process as if nobody watched.
        assert signal.getsignal(number) == signal.SIG_DFL
        with pytest.raises(Interrupted, match=f"stopped by {number.name}; the state is kept, run"):
            found.check()
    assert signal.getsignal(number) == before


def test_handlers_come_back_after_an_error_too():
    before = [signal.getsignal(number) for number in interruption.SIGNALS]
    with pytest.raises(RuntimeError), interruption.watching():
        raise RuntimeError
    assert [signal.getsignal(number) for number in interruption.SIGNALS] == before


def test_another_thread_watches_nothing():
    asked = []

    def watch():
        with interruption.watching() as found:
            asked.append(found.is_asked)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert asked == [False]
