"""This holds the grid of a sweep: its text, `first:last:step` or `a,b,c`, and its exact values."""

from dataclasses import dataclass
from decimal import Decimal

THRESHOLDS_FORM = "first:last:step as 0.05:0.95:0.05, or values as 0.5,0.6,0.75"
PIXELS_FORM = "first:last:step as 0:4000:250, or values as 0,600,2000"
MAX_VALUES = 10_001  # as many as there are thresholds of four decimals
MAX_PIXELS = 10**9


@dataclass(frozen=True)
class Grid:
    """The cells of a sweep: each threshold with each number of pixels of `size_px` squared."""

    thresholds: tuple[float, ...]
    min_pixels: tuple[int, ...]
    size_px: int


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
