"""This holds calibration: how often what is said to be probable is so, and mending where it isn't.

A map from probability to probability that never falls moves thresholds and changes no mask that a
sweep can make; it is for who reads the probability itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special
from sklearn.isotonic import IsotonicRegression

Floats = NDArray[np.float64]
Recalibrate = Callable[[Floats], Floats]

NUM_BINS = 15
# Probabilities beyond say that something is impossible, which no finite sample bears out.
_SMALLEST = 5e-5
_TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True)
class Events:
    """What happened where a probability was said: how often in all, and how often it came true.

    All are float64 K; a probability may stand in several places.
    """

    probability: Floats
    total: Floats
    true: Floats

    def mapped(self, recalibrate: Recalibrate) -> "Events":
        """The same events with other probabilities."""
        return Events(recalibrate(self.probability), self.total, self.true)


def joined(several: list[Events]) -> Events:
    """All events of several."""
    return Events(
        np.concatenate([each.probability for each in several]),
        np.concatenate([each.total for each in several]),
        np.concatenate([each.true for each in several]),
    )


def reliability(events: Events) -> pd.DataFrame:
    """By bin of equal width: `low`, `high`, `probability` and `observed` means, `events`.

    Bins without an event are left out (Niculescu-Mizil & Caruana 2005, ICML).
    """
    place = np.minimum((events.probability * NUM_BINS).astype(int), NUM_BINS - 1)

    def summed(values: Floats) -> Floats:
        return np.asarray(np.bincount(place, values, NUM_BINS), np.float64)

    total = summed(events.total)
    is_there = total > 0
    edges = np.arange(NUM_BINS + 1) / NUM_BINS
    return pd.DataFrame(
        {
            "low": edges[:-1][is_there],
            "high": edges[1:][is_there],
            "probability": summed(events.total * events.probability)[is_there] / total[is_there],
            "observed": summed(events.true)[is_there] / total[is_there],
            "events": total[is_there],
        }
    )


def figures(events: Events) -> dict[str, float]:
    """The expected calibration error (Guo et al. 2017, arXiv:1706.04599), Brier score and NLL.

    ECE is over the bins of `reliability`; the Brier score is the mean squared error, and the
    negative log-likelihood has its probabilities kept away from 0 and 1.
    """
    bins = reliability(events)
    number = events.total.sum()
    gaps = (bins["observed"] - bins["probability"]).abs()
    p, false = events.probability, events.total - events.true
    return {
        "ece": float((bins["events"] * gaps).sum() / number),
        "brier": float((events.true * (1 - p) ** 2 + false * p**2).sum() / number),
        "nll": _nll(events),
    }


def temperature(events: Events) -> Recalibrate:
    """Divide logits by the temperature of the least NLL on these events (Guo et al. 2017)."""

    def at(log_temperature: float) -> Recalibrate:
        return lambda probability: special.expit(
            special.logit(_inside(probability)) / np.exp(log_temperature)
        )

    found = optimize.minimize_scalar(
        lambda value: _nll(events.mapped(at(value))),
        bounds=tuple(np.log(_TEMPERATURES)),
        method="bounded",
    )
    return at(float(found.x))


def isotonic(events: Events) -> Recalibrate:
    """The rising step function of the least squared error on these events."""
    is_there = events.total > 0
    observed = events.true[is_there] / events.total[is_there]
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(
        events.probability[is_there], observed, events.total[is_there]
    )
    return lambda probability: np.asarray(fitted.predict(probability), np.float64)


METHODS: dict[str, Callable[[Events], Recalibrate]] = {
    "temperature": temperature,
    "isotonic": isotonic,
}


def table(parts: list[Events]) -> pd.DataFrame:
    """The figures as predicted, and after each method: `method`, `ece`, `brier`, `nll`.

    A method is fitted on all parts but the one that it is applied to; with one part there is none.
    """
    rows = [{"method": "as predicted", **figures(joined(parts))}]
    for name, fit in METHODS.items() if len(parts) > 1 else ():
        mended = [
            part.mapped(fit(joined(parts[:i] + parts[i + 1 :]))) for i, part in enumerate(parts)
        ]
        rows.append({"method": name, **figures(joined(mended))})
    return pd.DataFrame(rows)


def _nll(events: Events) -> float:
    p = _inside(events.probability)
    false = events.total - events.true
    losses = events.true * -np.log(p) + false * -np.log1p(-p)
    return float(losses.sum() / events.total.sum())


def _inside(probability: Floats) -> Floats:
    return np.clip(probability, _SMALLEST, 1 - _SMALLEST)
