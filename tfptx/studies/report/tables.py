"""This holds what the numbers of a study say: its sweeps and backbones, read for the report."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from tfptx.operating_point import score, tables
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.tables import Point
from tfptx.studies import backbones_table

KINDS: tuple[Kind, ...] = ("threshold", "joint")  # the paper's; a report is not whole without
MAIN: tuple[Kind, ...] = ("joint", "threshold", "triplet", "presence", "components")
NAMES: dict[Kind, str] = {
    "threshold": "Best threshold",
    "joint": "Best pair",
    "triplet": "Best triplet",
    "components": "Best smallest component",
    "presence": "Best presence",
}


@dataclass(frozen=True)
class Swept:
    """A sweep as it stands: one row of `results` a cell, the point chosen, what it came from."""

    kind: Kind
    results: pd.DataFrame
    point: Point
    origin: dict[str, Any]

    @property
    def figures(self) -> dict[str, float]:
        """What the chosen cell scores."""
        cells = self.results
        is_chosen = np.logical_and.reduce(
            [np.isclose(cells[name], value) for name, value in self.point.cell.items()]
        )
        if is_chosen.sum() != 1:
            raise ValueError(
                f"the {self.kind} sweep has {is_chosen.sum()} cells at its point, "
                f"{self.point.label}; make it anew with tfptx sweep {self.kind}"
            )
        return {name: float(cells[name][is_chosen].iloc[0]) for name in score.FIGURES}


@dataclass(frozen=True)
class Numbers:
    """The sweeps and the backbones of a study, as far as they stand.

    `folder` holds the sweeps. Where a study is a comparison of backbones they are those of its best
    one, `backbone`, else that is None.
    """

    folder: Path
    backbone: str | None
    sweeps: dict[Kind, Swept]
    backbones: pd.DataFrame | None


@dataclass(frozen=True)
class Line:
    """A line of the headline table: its name, what that means, and its figures.

    `low` and `high` are the ends of the mean Dice's interval, None where there is none; `images`
    are those of the line in words.
    """

    name: str
    detail: str
    images: str
    figures: dict[str, float]
    low: float | None = None
    high: float | None = None


def read(study: Path) -> Numbers:
    """Read what stands in a study, which may be nothing."""
    backbones = None
    if (study / backbones_table.NAME).is_file():
        backbones = backbones_table.read(study)
    folder, backbone = study, None
    sweeps = _sweeps(folder)
    if not sweeps and backbones is not None:
        backbone = backbones_table.best(backbones)
        folder = study / backbones_table.SWEEPS / backbone
        sweeps = _sweeps(folder)
    return Numbers(folder, backbone, sweeps, backbones)


def all_empty(point: Point) -> dict[str, float]:
    """The figures of predicting nothing on the images that a point was chosen on.

    Its mean Dice is the share of images without a pneumothorax, and the rest follows from it.
    """
    if point.all_empty_dice is None:
        return dict.fromkeys(score.FIGURES, math.nan)
    has_positives, has_negatives = point.all_empty_dice < 1, point.all_empty_dice > 0
    return {
        "mean_dice": point.all_empty_dice,
        "positive_dice": 0.0 if has_positives else math.nan,
        "sensitivity": 0.0 if has_positives else math.nan,
        "specificity": 1.0 if has_negatives else math.nan,
        "empty_share": 1.0,
    }


def headline(sweeps: dict[Kind, Swept], images: str) -> list[Line]:
    """The figures of predicting nothing and of each sweep's point, on the images of the sweeps."""
    nothing = all_empty(next(iter(sweeps.values())).point)
    points = [
        Line(name, each.point.label, images, each.figures, each.point.low, each.point.high)
        for kind, name in NAMES.items()
        if (each := sweeps.get(kind))
    ]
    return [Line("Predicting nothing", "every mask empty", images, nothing), *points]


def main(sweeps: dict[Kind, Swept]) -> Swept | None:
    """The sweep whose point the report is of: that of pairs, else of another kind."""
    return next((sweeps[kind] for kind in MAIN if kind in sweeps), None)


def best_cells(swept: Swept, count: int) -> list[dict[str, float]]:
    """The cells of a sweep with the best mean Dice, best first."""
    order = ["mean_dice", "positive_dice"]
    cells = swept.results.sort_values(order, ascending=False, kind="stable").head(count)
    return [{str(key): value for key, value in row.items()} for row in cells.to_dict("records")]


def _sweeps(folder: Path) -> dict[Kind, Swept]:
    return {
        kind: Swept(
            kind,
            tables.read_results(folder, kind),
            tables.read_point(folder / kind / tables.POINT),
            tables.read_provenance(folder, kind),
        )
        for kind in get_args(Kind)
        if (folder / kind / tables.POINT).is_file()
    }
