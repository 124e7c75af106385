import numpy as np
import pandas as pd
import pytest

from tests.training import learning
from tfptx.training import rate_range
from tfptx.training.rate_range import ClimbingRate


def table(losses):
    rates = np.geomspace(1e-4, 1, len(losses))
    return pd.DataFrame({"learning_rate": rates, "loss": losses, "smoothed_loss": losses})


def test_the_steepest_fall_is_found_before_the_smallest_loss():
    # One order of magnitude of the rate a step: falls of 0.1, 0.5 and 0.2, then a rise.
    assert rate_range.steepest(table([1.0, 0.9, 0.4, 0.2, 5.0])) == pytest.approx(1e-2)


@pytest.mark.parametrize("losses", [[0.5, 0.6, 0.7, 0.9], [0.5, 0.4, 0.7, 0.9]])
def test_a_loss_that_never_falls_is_refused(losses):
    with pytest.raises(ValueError, match="the loss did not fall at any rate"):
        rate_range.steepest(table(losses))


def climbed(losses):
    """What the callback notes of a fit with these losses, and after how many it stopped it."""
    found, _ = learning.learner(learning.network())
    shares = []
    climbing = ClimbingRate(len(losses), shares.append)
    climbing.set_model(found)
    found.stop_training = False
    for batch, loss in enumerate(losses):
        climbing.on_train_batch_begin(batch)
        assert float(found.optimizer.learning_rate) == pytest.approx(
            1e-7 * 10 ** (7 * batch / (len(losses) - 1)), rel=1e-5
        )
        climbing.on_train_batch_end(batch, {"loss": loss})
        if found.stop_training:
            break
    return climbing.rows, len(shares)


def test_rates_are_geometric_and_losses_smoothed_without_bias():
    losses = [1.0, 0.8, 0.9, 0.5, 0.7]
    rows, steps = climbed(losses)
    assert steps == 5
    for last in range(5):
        weights = 0.9 ** np.arange(last, -1, -1)
        expected = np.average(losses[: last + 1], weights=weights)
        assert rows[last]["smoothed_loss"] == pytest.approx(expected)
        assert rows[last]["loss"] == losses[last]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 50.0])
def test_it_stops_where_the_loss_explodes(bad):
    rows, steps = climbed([1.0, 0.8, bad, 0.5])
    assert steps == 3
    assert [row["loss"] for row in rows] == [1.0, 0.8]
