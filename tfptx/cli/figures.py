"""This holds the table of figures that commands print."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from tfptx import files

HEADINGS = {
    "mean_dice": "mean Dice",
    "positive_dice": "on positives",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "empty_share": "empty share",
}
ALL_EMPTY = "all empty"
NO_INTERVAL = "no interval: one patient"
_SPREAD = "95 % interval   "


class Line(NamedTuple):
    """A line of the table: its label, its figures, and the interval of the first one, "" if none.

    Labels may be equal: a pair without a smallest mask is called as its threshold alone.
    """

    label: str
    figures: Mapping[str, float]
    interval: str = ""


def line_of(label: str, estimates: Mapping[str, Any]) -> Line:
    """The line of figures that are estimates, of which the first one shows its interval."""
    values = {name: estimate.value for name, estimate in estimates.items()}
    dice = estimates["mean_dice"]
    return Line(label, values, ends(dice.low, dice.high))


def ends(low: float | None, high: float | None, sign: str = "") -> str:
    """The ends of an interval; None or NaN are those of a figure that one patient makes.

    With the sign "+" a difference shows which way it goes.
    """
    if low is None or math.isnan(low):
        return NO_INTERVAL
    return f"{low:{sign}.4f} to {high:{sign}.4f}"


def interval(low: float | None, high: float | None, sign: str = "") -> str:
    """The ends of an interval in a sentence, which says that they are that."""
    words = ends(low, high, sign)
    return words if words == NO_INTERVAL else f"95 % interval {words}"


def echo_table(lines: Sequence[Line]) -> None:
    """Print figures, with the interval of the first one where a line has it."""
    width = max(len(line.label) for line in lines)
    has_intervals = any(line.interval for line in lines)
    spread_width = max(len(_SPREAD), *(len(line.interval) for line in lines))
    first, *others = HEADINGS.values()
    spread = [f"{_SPREAD:{spread_width}}"] if has_intervals else []
    click.echo("  ".join([" " * width, first, *spread, *others]))
    for label, figures, interval in lines:
        value, *rest = (f"{figures[key]:{len(heading)}.6f}" for key, heading in HEADINGS.items())
        between = [f"{interval:{spread_width}}"] if has_intervals else []
        click.echo("  ".join([f"{label:{width}}", value, *between, *rest]))


def echo_difference(found: Any) -> None:
    """Print a paired difference in one line."""
    dice = found.mean_dice
    click.echo(
        f"{found.one} - {found.other}: mean Dice {dice.value:+.4f}, "
        f"{interval(dice.low, dice.high, '+')}, permutation p {found.permutation_p:.2g}, McNemar p "
        f"of the decisions {found.mcnemar_p:.2g}"
    )


def difference_content(found: Any) -> dict[str, Any]:
    """A paired difference as it stands in JSON."""
    content: dict[str, Any] = dataclasses.asdict(found)
    dice: dict[str, Any] = content.pop("mean_dice")
    return content | dice


def echo_json(content: Mapping[str, Any]) -> None:
    """Print an object as JSON; a figure that no image bears on is null."""
    click.echo(files.to_json(content))
