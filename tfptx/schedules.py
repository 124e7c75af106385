"""This holds the schedules: pure functions from a time to a value.

A time is a fractional epoch, 0 at the first step of a fit, unless a name says steps.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=str)


def constant(epoch: float, smallest: float, largest: float, half_cycle_epochs: float) -> float:
    """The learning rate `largest`, at all times."""
    return largest


def triangular(epoch: float, smallest: float, largest: float, half_cycle_epochs: float) -> float:
    """The cyclic learning rate of Smith 2017 (arXiv:1506.01186, section 3.2).

    It starts at `smallest`, climbs in a line to `largest` within half a cycle, and falls back.
    """
    return smallest + (largest - smallest) * _triangle(epoch, half_cycle_epochs)


def triangular2(epoch: float, smallest: float, largest: float, half_cycle_epochs: float) -> float:
    """`triangular` whose reach above `smallest` is halved at the end of each cycle (Smith 2017)."""
    finished_cycles = epoch // (2 * half_cycle_epochs)
    reach = (largest - smallest) * math.pow(0.5, finished_cycles)
    return smallest + reach * _triangle(epoch, half_cycle_epochs)


def cosine(epoch: float, smallest: float, largest: float, half_cycle_epochs: float) -> float:
    """Cosine annealing with warm restarts (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5).

    It starts at `largest`, nears `smallest`, and restarts after two half cycles; all periods are
    of one length (their T_mult is 1).
    """
    period_epochs = 2 * half_cycle_epochs
    share = (epoch % period_epochs) / period_epochs
    return smallest + (largest - smallest) * (1 + math.cos(math.pi * share)) / 2


RATES: dict[str, Callable[[float, float, float, float], float]] = {
    "constant": constant,
    "triangular": triangular,
    "triangular2": triangular2,
    "cosine": cosine,
}


def line(epoch: float, epochs: int, start: float, end: float) -> float:
    """Slide in a line from `start` at epoch 0 to `end` at epoch `epochs - 1`, and stay there.

    A fit of one epoch has `start`.
    """
    share = min(epoch / max(epochs - 1, 1), 1.0)
    return (1 - share) * start + share * end


def term_weights(
    epoch: float, phases: Sequence[tuple[float, float, Mapping[Name, float]]]
) -> dict[Name, float]:
    """The weight of every loss term that any phase names.

    A phase is (from_epoch, ramp_epochs, weights), and phases stand in the order of their starts.
    When one starts, the weights slide in a line over its ramp from those then in force to its own;
    a term that it doesn't name goes to 0. The first phase has none before it and needs no ramp.
    """
    terms = dict.fromkeys(term for _, _, weights in phases for term in weights)
    in_force = {term: phases[0][2].get(term, 0.0) for term in terms}
    for index, (from_epoch, ramp_epochs, weights) in enumerate(phases[1:], start=1):
        if epoch < from_epoch:
            break
        next_start = phases[index + 1][0] if index + 1 < len(phases) else math.inf
        # A phase whose ramp is longer than itself hands over what it has reached.
        passed_epochs = min(epoch, next_start) - from_epoch
        share = min(passed_epochs / ramp_epochs, 1.0) if ramp_epochs else 1.0
        in_force = {
            term: (1 - share) * before + share * weights.get(term, 0.0)
            for term, before in in_force.items()
        }
    return in_force


def unfrozen(epoch: float, from_epoch: Mapping[Name, int]) -> tuple[Name, ...]:
    """The groups, in the order of `from_epoch`, whose first epoch of training has come."""
    return tuple(group for group, first in from_epoch.items() if epoch >= first)


def warm_up(step: int, since_step: int, warm_up_steps: int) -> float:
    """The multiplier, up to 1, of the rate of a group of layers that trains since `since_step`."""
    return min((step - since_step + 1) / warm_up_steps, 1.0)


def own_bias_correction(step: int, since_step: int, beta_1: float, beta_2: float) -> float:
    """The multiplier that gives a group that joins Adam late the bias correction of its own steps.

    Adam corrects its moments by the global step (Kingma & Ba 2015, arXiv:1412.6980, section 3), so
    the moments of a group that starts at 0 after that correction is spent would move it by up to
    seven times the learning rate. With this multiplier it moves as if the fit began with it.
    """

    def correction(steps: int) -> float:
        return math.sqrt(1 - math.pow(beta_2, steps)) / (1 - math.pow(beta_1, steps))

    return correction(step - since_step + 1) / correction(step + 1)


def _triangle(epoch: float, half_cycle_epochs: float) -> float:
    """The wave of period two half cycles that is 0 at its start and 1 in its middle."""
    position = (epoch / half_cycle_epochs) % 2
    return 1 - abs(position - 1)
