"""This holds the tables of a report as files: csv for a program, LaTeX for a paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tfptx.operating_point import score
from tfptx.operating_point.grid import AXES, Kind
from tfptx.studies import assessments
from tfptx.studies.report.judgement import Judgement
from tfptx.studies.report.tables import AXIS_NAMES, Line

FOLDER = "tables"
DECIMALS = "%.4f"  # of a number that stands alone
_DECIMALS_WITH_INTERVAL = 3
NOT_KNOWN = "n/a"
# What a paper calls a column, where that is not its own name with spaces.
_WORDS = AXIS_NAMES | {
    "ece": "calibration error",
    "brier": "Brier score",
    "nll": "log loss",
    "mean_dice": "mean Dice",
    "positive_dice": "Dice on positives",
    "empty_share": "empty masks",
    "num_images": "radiographs",
    "num_positives": "with pneumothorax",
    "is_chosen": "chosen",
}


def write(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write each table as <name>.csv, in full, and <name>.tex, which asks for booktabs.

    In the latter an interval, of columns low and high or <column>_low and <column>_high, stands in
    one cell with its number.
    """
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        text = _as_in_a_paper(table).to_latex(
            index=False, escape=True, float_format=DECIMALS, na_rep=NOT_KNOWN
        )
        (folder / f"{name}.tex").write_text(text, encoding="utf-8")


def points(lines: Sequence[Line]) -> pd.DataFrame:
    """The headline as a table: one row a point and collection."""
    return pd.DataFrame(
        {
            "images": line.images.removeprefix("On "),
            "point": line.name,
            "rule": line.detail,
            **{name: line.figures[name] for name in score.FIGURES[:1]},
            "low": line.low,
            "high": line.high,
            **{name: line.figures[name] for name in score.FIGURES[1:]},
        }
        for line in lines
    )


def cells(kind: Kind, best: pd.DataFrame) -> pd.DataFrame:
    """The best cells of a sweep, and which one was chosen, with the figures of each."""
    interval = [name for name in ("low", "high") if name in best]
    return best[[*AXES[kind], score.FIGURES[0], *interval, *score.FIGURES[1:], "is_chosen"]]


def of_judgement(found: Judgement) -> dict[str, pd.DataFrame]:
    """The tables of a judgement by name; without subgroups there is none of these."""
    tables = {"calibration": found.calibration, "reliability": found.reliability}
    if found.subgroups:
        tables["subgroups"] = assessments.table_of_subgroups(found.subgroups)
    return tables


def _as_in_a_paper(table: pd.DataFrame) -> pd.DataFrame:
    """The table with whole numbers as such, intervals beside their numbers, words as headings."""
    intervals = _intervals(table)
    ends = {end for pair in intervals.values() for end in pair}
    shown: dict[str, Any] = {}
    for name in map(str, table.columns):
        if name in intervals:
            low, high = intervals[name]
            rows = zip(table[name], table[low], table[high], strict=True)
            shown[name] = [_with_interval(*row) for row in rows]
        elif name not in ends:
            shown[name] = _whole(table[name])
    return pd.DataFrame(shown).rename(columns=lambda name: _WORDS.get(name, name.replace("_", " ")))


def _intervals(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """The columns that have an interval, with those of its ends.

    Those of reliability called low and high are no interval, but a bin's edges.
    """
    found = {}
    for low in map(str, table.columns):
        stem = low.removesuffix("low")
        number = next((n for n in (stem.removesuffix("_"), f"{stem}mean_dice") if n in table), None)
        if low != stem and number is not None:
            found[number] = (low, f"{stem}high")
    return found


def _with_interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return NOT_KNOWN
    known = (value,) if pd.isna(low) else (value, low, high)
    number, *ends = (f"{each:.{_DECIMALS_WITH_INTERVAL}f}" for each in known)
    return f"{number} ({' to '.join(ends)})" if ends else number


def _whole(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Counts, which a csv or an empty cell has made floats, as whole numbers; flags as words."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: "no"})
    if not pd.api.types.is_numeric_dtype(column) or not (column.dropna() % 1 == 0).all():
        return column
    # Scores that are all 0 or 1 are none.
    return column.astype("Int64") if column.max() > 1 else column
