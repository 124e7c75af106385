"""This holds the schedules: pure functions from a time to a value.

A time is a fractional epoch, 0 at the first step of a fit, unless a name says steps.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Name = TypeVar("Name", bound=str)

ANNIHILATED = 0.01  # what `one_cycle` leaves of its smallest rate at the end


@dataclass(frozen=True)
class Cycle:
    """What shapes a learning rate: its bounds, half its period, and the length of the fit.

    `gamma` is what `exp_range` leaves of its reach after each epoch.
    """

    smallest: float
    largest: float
    half_cycle_epochs: float
    epochs: int
    gamma: float = 1.0

    @property
    def period_epochs(self) -> float:
        """The length of a whole cycle."""
        return 2 * self.half_cycle_epochs


def constant(epoch: float, cycle: Cycle) -> float:
    """The learning rate `largest`, at all times."""
    return cycle.largest


def triangular(epoch: float, cycle: Cycle) -> float:
    """The cyclic learning rate of Smith 2017 (arXiv:1506.01186, section 3.2).

    It starts at `smallest`, climbs in a line to `largest` within half a cycle, and falls back.
    """
    return _above(cycle, _triangle(epoch, cycle))


def triangular2(epoch: float, cycle: Cycle) -> float:
    """`triangular` whose reach above `smallest` is halved at the end of each cycle (Smith 2017)."""
    return _above(cycle, math.pow(0.5, cycles(epoch, cycle)) * _triangle(epoch, cycle))


def exp_range(epoch: float, cycle: Cycle) -> float:
    """`triangular` whose reach above `smallest` shrinks by `gamma` an epoch (Smith 2017).

    The paper's gamma counts iterations: it is this one to the power of 1 / steps in an epoch.
    """
    return _above(cycle, math.pow(cycle.gamma, epoch) * _triangle(epoch, cycle))


def cosine(epoch: float, cycle: Cycle) -> float:
    """Cosine annealing with warm restarts (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5).

    It starts at `largest`, nears `smallest`, and restarts after two half cycles; all periods are
    of one length (their T_mult is 1).
    """
    share = (epoch % cycle.period_epochs) / cycle.period_epochs
    return _above(cycle, (1 + math.cos(math.pi * share)) / 2)


def one_cycle(epoch: float, cycle: Cycle) -> float:
    """The 1cycle policy of Smith & Topin 2018 (arXiv:1708.07120, section 3).

    One cycle of `triangular`; in the epochs that are left the rate falls in a line from `smallest`
    to a hundredth of it, "several orders of magnitude" below `largest`.
    """
    if epoch < cycle.period_epochs:
        return triangular(epoch, cycle)
    left_epochs = cycle.epochs - cycle.period_epochs
    passed = min((epoch - cycle.period_epochs) / left_epochs, 1.0) if left_epochs else 1.0
    return cycle.smallest * (1 - passed * (1 - ANNIHILATED))


RATES: dict[str, Callable[[float, Cycle], float]] = {
    "constant": constant,
    "triangular": triangular,
    "triangular2": triangular2,
    "exp_range": exp_range,
    "cosine": cosine,
    "one_cycle": one_cycle,
}


def cycles(epoch: float, cycle: Cycle) -> int:
    """The number of cycles that have ended."""
    return int(epoch // cycle.period_epochs)


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
    """The multiplier, up to 1, of a rate that is in use since `since_step`; 0 steps need none."""
    return min((step - since_step + 1) / warm_up_steps, 1.0) if warm_up_steps else 1.0


def own_bias_correction(step: int, since_step: int, beta_1: float, beta_2: float) -> float:
    """The multiplier that gives a group that joins Adam late the bias correction of its own steps.

    Adam corrects its moments by the global step (Kingma & Ba 2015, arXiv:1412.6980, section 3), so
    the moments of a group that starts at 0 after that correction is spent would move it by up to
    seven times the learning rate. With this multiplier it moves as if the fit began with it.
    """

    def correction(steps: int) -> float:
        return math.sqrt(1 - math.pow(beta_2, steps)) / (1 - math.pow(beta_1, steps))

    return correction(step - since_step + 1) / correction(step + 1)


def _above(cycle: Cycle, share: float) -> float:
    """The rate at a share of the way from `smallest` to `largest`."""
    return cycle.smallest + (cycle.largest - cycle.smallest) * share


def _triangle(epoch: float, cycle: Cycle) -> float:
    """The wave of one period that is 0 at its start and 1 in its middle."""
    position = (epoch / cycle.half_cycle_epochs) % 2
    return 1 - abs(position - 1)
