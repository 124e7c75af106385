"""This holds the learning rate of a stage: the config's schedule as a function of time and step."""

from tfptx import schedules
from tfptx.schedules import Cycle
from tfptx.stage_config import Stage


def cycle(plan: Stage) -> Cycle:
    """What shapes the rate of a stage."""
    rate = plan.rate
    gamma = 1.0 if rate.gamma is None else rate.gamma
    return Cycle(rate.smallest, rate.largest, rate.half_cycle_epochs, plan.epochs, gamma)


def during(plan: Stage, epoch: float) -> float:
    """The rate at a fractional epoch, the warm-up aside."""
    return schedules.RATES[plan.rate.schedule](epoch, cycle(plan))


def at(plan: Stage, epoch: float, step: int) -> float:
    """The rate at a fractional epoch, which is that of the fit's batch `step`, with the warm-up.

    The warm-up counts steps of the optimizer.
    """
    optimizer_step = step // plan.accumulated_batches
    return schedules.warm_up(optimizer_step, 0, plan.rate.warm_up_steps) * during(plan, epoch)


def ends_cycle(plan: Stage, epoch: int) -> bool:
    """Whether a cycle ends with or within an epoch."""
    shape = cycle(plan)
    return schedules.cycles(epoch + 1, shape) > schedules.cycles(epoch, shape)
