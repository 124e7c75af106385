"""This holds tables in Markdown."""

import math
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of texts and numbers; what is None or NaN is unknown."""
    lines = [head, ["---"] * len(head), *([cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any) -> str:
    """A value as text that breaks no table: a real number with four decimals."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return " ".join(text.replace("|", "\\|").split())


def with_interval(value: float, low: float, high: float) -> str:
    """A figure with the ends of its interval, where it has one."""
    ends = "" if math.isnan(low) or math.isnan(high) else f" ({low:.4f} to {high:.4f})"
    return f"{cell(float(value))}{ends}"
