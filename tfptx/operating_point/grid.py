"""This holds the grid of a sweep: its text, `first:last:step` or `a,b,c`, and its exact values."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import rule
from tfptx.operating_point.rule import Rule

Kind = Literal["threshold", "joint", "triplet", "components", "presence"]
Index = tuple[int, ...]

THRESHOLDS_FORM = "first:last:step as 0.05:0.95:0.05, or values as 0.5,0.6,0.75"
PIXELS_FORM = "first:last:step as 0:4000:250, or values as 0,600,2000"
MAX_VALUES = 10_001  # as many as there are thresholds of four decimals
MAX_PIXELS = 10**9


AXES: dict[Kind, tuple[str, ...]] = {
    "threshold": ("threshold", "min_pixels"),
    "joint": ("threshold", "min_pixels"),
    "triplet": ("top_threshold", "area_px", "bottom_threshold"),
    "components": ("fills_holes", "threshold", "min_component_px"),
    "presence": ("threshold", "min_pixels", "min_presence"),
}


@dataclass(frozen=True)
class Grid:
    """The cells of a sweep: each value of an axis with each of the others, the first one outermost.

    `axes` are those of AXES for the kind, in its order; pixels are those of an image of `size_px`
    squared. Raises ValueError where the axes are others.
    """

    kind: Kind
    axes: Mapping[str, tuple[Any, ...]]
    size_px: int

    def __post_init__(self) -> None:
        if tuple(self.axes) != AXES[self.kind]:
            raise ValueError(
                f"a {self.kind} grid has the axes {', '.join(AXES[self.kind])}, in this order; got "
                f"{', '.join(self.axes) or 'none'}"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each axis."""
        return tuple(map(len, self.axes.values()))

    def __len__(self) -> int:
        return prod(self.shape)

    @property
    def possible(self) -> NDArray[np.bool_]:
        """Which cells are rules, in the grid's shape: no top threshold is below a bottom one."""
        if self.kind != "triplet":
            return np.ones(self.shape, bool)
        tops, bottoms = (
            np.array(self.axes[name]) for name in ("top_threshold", "bottom_threshold")
        )
        is_rule = tops[:, np.newaxis, np.newaxis] >= bottoms
        return np.broadcast_to(is_rule, self.shape)

    def cell(self, index: Index) -> dict[str, Any]:
        """The value of each axis at the place of a cell."""
        return {name: axis[i] for (name, axis), i in zip(self.axes.items(), index, strict=True)}

    def columns(self) -> dict[str, Any]:
        """The value of each axis in every cell, one after the other."""
        places = np.indices(self.shape).reshape(len(self.axes), -1)
        return {
            name: np.array(axis)[at]
            for (name, axis), at in zip(self.axes.items(), places, strict=True)
        }


def joint(thresholds: tuple[float, ...], min_pixels: tuple[int, ...], size_px: int) -> Grid:
    """The grid of pairs."""
    return Grid("joint", {"threshold": thresholds, "min_pixels": min_pixels}, size_px)


def of_cell(cell: Mapping[str, Any], size_px: int) -> Grid:
    """The grid of one cell alone. Raises ValueError as `kind_of`."""
    kind = kind_of(cell)
    return Grid(kind, {name: (cell[name],) for name in AXES[kind]}, size_px)


def kind_of(cell: Mapping[str, Any]) -> Kind:
    """The kind of sweep that has cells like this one. Raises ValueError where none has."""
    for kind in reversed(AXES):
        if set(cell) == set(AXES[kind]):
            return kind
    forms = ", or ".join(" with ".join(axes) for axes in dict.fromkeys(AXES.values()))
    raise ValueError(f"has {', '.join(cell) or 'no rule'}; a rule is {forms}")


def rule_of(cell: Mapping[str, Any], size_px: int) -> Rule:
    """The rule of a cell, or of an operating point that has the keys of one."""
    match cell:
        case {"top_threshold": top, "area_px": area, "bottom_threshold": bottom}:
            return Rule(top, area, bottom, size_px)
        case {"fills_holes": fills, "threshold": threshold, "min_component_px": smallest}:
            return Rule(threshold, 0, threshold, size_px, fills, smallest)
        case {"threshold": threshold, "min_pixels": smallest, "min_presence": presence}:
            return Rule(threshold, smallest, threshold, size_px, min_presence=presence)
        case _:
            return rule.pair(cell["threshold"], cell["min_pixels"], size_px)


def values(text: str) -> tuple[float, ...]:
    """The thresholds of a text, ascending, each 0 to 1 with at most four decimals.

    Raises ValueError that shows the form, for any other text.
    """
    numbers = _numbers(text, "thresholds", THRESHOLDS_FORM)
    for number in numbers:
        if not 0 <= number <= 1:
            raise ValueError(f"the threshold {number} is not from 0 to 1; give {THRESHOLDS_FORM}")
        if number != round(number, 4):
            raise ValueError(f"the threshold {number} has more than four decimals; round it")
    return tuple(map(float, numbers))


def pixels(text: str) -> tuple[int, ...]:
    """The whole numbers of a text, ascending, each at least 0. Raises ValueError as `values`."""
    numbers = _numbers(text, "pixels", PIXELS_FORM)
    for number in numbers:
        if number != int(number) or not 0 <= number <= MAX_PIXELS:
            raise ValueError(f"{number} is no whole number from 0 to {MAX_PIXELS}; {PIXELS_FORM}")
    return tuple(map(int, numbers))


def _numbers(text: str, of_what: str, form: str) -> list[Decimal]:
    refused = ValueError(f"{text!r} is no grid of {of_what}; give {form}")
    parts = text.split(":")
    try:
        numbers = [Decimal(part.strip()) for part in (parts if len(parts) > 1 else text.split(","))]
        if not all(number.is_finite() for number in numbers):
            raise refused
        if len(parts) == 1:
            return sorted(set(numbers))
        first, last, step = numbers
        # Decimals: in binary, 0.05 + 18 x 0.05 ends beside 0.95.
        num_values = int((last - first) / step) + 1 if step > 0 and last >= first else 0
    except (ArithmeticError, ValueError) as error:
        raise refused from error
    if not 0 < num_values <= MAX_VALUES:
        raise ValueError(
            f"{text!r} has {num_values} values, a grid has 1 to {MAX_VALUES}; give {form}"
        )
    return [first + i * step for i in range(num_values)]
