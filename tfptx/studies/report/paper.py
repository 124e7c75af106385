"""This holds the tables of a report as files: csv for a program, LaTeX for a paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tfptx.operating_point import score
from tfptx.studies import assessments
from tfptx.studies.report.judgement import Judgement
from tfptx.studies.report.tables import Line

FOLDER = "tables"
DECIMALS = "%.4f"


def write(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write each table as <name>.csv, in full, and <name>.tex, which asks for booktabs."""
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        titled = table.rename(columns=lambda column: str(column).replace("_", " "))
        text = titled.to_latex(index=False, escape=True, float_format=DECIMALS, na_rep="n/a")
        (folder / f"{name}.tex").write_text(text, encoding="utf-8")


def points(lines: Sequence[Line]) -> pd.DataFrame:
    """The headline as a table: one row a point and collection."""
    return pd.DataFrame(
        {
            "point": line.name,
            "rule": line.detail,
            **{name: line.figures[name] for name in score.FIGURES[:1]},
            "low": line.low,
            "high": line.high,
            **{name: line.figures[name] for name in score.FIGURES[1:]},
        }
        for line in lines
    )


def of_judgement(found: Judgement) -> dict[str, pd.DataFrame]:
    """The tables of a judgement by name; without subgroups there is none of these."""
    tables = {"calibration": found.calibration, "reliability": found.reliability}
    if found.subgroups:
        tables["subgroups"] = assessments.table_of_subgroups(found.subgroups)
    return tables
