import signal

import keras
import numpy as np
import pytest

from tests.training import learning
from tfptx.training import state
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.keep_state import KeepState
from tfptx.training.interruption import Interrupted, Interruption


def noted(monkeypatch, every_steps):
    """The states that a fit of two epochs keeps, as (epoch, batches)."""
    saved = []
    monkeypatch.setattr(
        state, "save", lambda folder, model, epoch, batch: saved.append((epoch, batch))
    )
    clock = Clock(learning.CALENDAR)
    keep = KeepState(None, every_steps, None, Interruption(), clock)
    for epoch in range(2):
        clock.on_epoch_begin(epoch)
        for batch in range(learning.STEPS):
            clock.on_train_batch_begin(batch)
            keep.on_train_batch_end(batch)
    return saved


def test_states_come_every_so_many_batches_and_with_the_last(monkeypatch):
    assert noted(monkeypatch, 3) == [(0, 3), (0, 4), (1, 3), (1, 4)]
    assert noted(monkeypatch, 0) == [(0, 4), (1, 4)]


class Late(Interruption):
    """A signal that comes between the callback's question and its end."""

    @property
    def is_asked(self):
        asked = super().is_asked
        self.ask(signal.SIGTERM, None)
        return asked


def test_a_signal_behind_the_question_waits_for_the_next_state(monkeypatch):
    saved, before = [], signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(state, "save", lambda *arguments: saved.append(arguments[-1]))
    clock = Clock(learning.CALENDAR)
    keep = KeepState(None, 0, None, Late(), clock)
    clock.on_epoch_begin(0)
    clock.on_train_batch_begin(0)
    keep.on_train_batch_end(0)
    assert saved == []
    clock.on_train_batch_begin(1)
    with pytest.raises(Interrupted):
        keep.on_train_batch_end(1)
    assert saved == [2]
    signal.signal(signal.SIGTERM, before)


class Asking(keras.callbacks.Callback):
    """Asks the fit to stop after its third batch."""

    def __init__(self, interruption):
        super().__init__()
        self.interruption = interruption

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            self.interruption.ask(signal.SIGTERM, None)


def test_a_fit_that_was_asked_to_stop_goes_on_with_its_state_and_metrics(tmp_path):
    whole, _ = learning.learner(learning.network(), learning_rate=1e-2)
    expected = learning.fit(whole, [], epochs=1)

    cut, _ = learning.learner(learning.network(), learning_rate=1e-2)
    clock, interruption = Clock(learning.CALENDAR), Interruption()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted):
        keep = KeepState(tmp_path, 0, None, interruption, clock)
        learning.fit(cut, [clock, Asking(interruption), keep], epochs=1)
    signal.signal(signal.SIGTERM, before)
    begun = state.latest(tmp_path)
    assert (begun.epoch, begun.batch) == (0, 3)

    found, _ = learning.learner(learning.network(), learning_rate=1e-2)
    state.restore(begun, found)
    clock.first_batch = begun.batch
    keep = KeepState(tmp_path, 0, begun, Interruption(), clock)
    images, masks = (each[2 * begun.batch :] for each in learning.data())
    history = found.fit(
        images, masks, batch_size=2, shuffle=False, verbose=0, callbacks=[clock, keep]
    ).history
    for name, value in expected.items():
        np.testing.assert_allclose(history[name], value, rtol=1e-6)
    for now, then in zip(found.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-5, atol=1e-7)
