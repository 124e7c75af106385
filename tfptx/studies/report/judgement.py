"""This holds the judgement of a point on a collection: figures, subgroups and reliability."""

from dataclasses import dataclass

import pandas as pd

from tfptx.operating_point import calibration, estimates, events, nested, outcomes, subgroups
from tfptx.operating_point import cells as grid_cells
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.intervals import Bootstrap, Draws
from tfptx.operating_point.subgroups import Subgroup
from tfptx.operating_point.tables import Point
from tfptx.studies.report.collection import Collection

DRAWS = Draws()


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a point is worth on a collection, without what takes the pixels of its masks.

    The parts are those of `assessment.Assessment`.
    """

    collection: Collection
    figures: dict[str, Estimate]
    subgroups: list[Subgroup]
    calibration: pd.DataFrame
    reliability: pd.DataFrame
    num_patients: int

    @property
    def values(self) -> dict[str, float]:
        """The figures without their intervals."""
        return {name: figure.value for name, figure in self.figures.items()}


def figures(collection: Collection, point: Point) -> dict[str, Estimate]:
    """The figures of a point with their intervals."""
    return _figures(_images(collection, point))[0]


def judge(collection: Collection, point: Point) -> Judgement:
    """Judge a point. Raises ValueError where the maps lack what it asks of them."""
    images = _images(collection, point)
    values, num_patients = _figures(images)
    parts = nested.parts(grid_cells.images(collection.counted), DRAWS.seed)
    said = events.by_kind(collection.counted, images, parts)
    return Judgement(
        collection,
        values,
        subgroups.find(images, [], DRAWS.num_resamples, DRAWS.seed),
        events.tabulated(said, calibration.table),
        events.tabulated(said, events.reliability),
        num_patients,
    )


def _images(collection: Collection, point: Point) -> pd.DataFrame:
    return outcomes.of_counts(collection.maps, collection.counted, point, lambda share: None)


def _figures(images: pd.DataFrame) -> tuple[dict[str, Estimate], int]:
    drawn = Bootstrap(images["patient_id"].tolist(), DRAWS.num_resamples, DRAWS.seed)
    names = ("predicted_px", "truth_px")
    found = estimates.figures(
        drawn, images["dice"].to_numpy(), *(images[name].to_numpy() for name in names)
    )
    values = {name: estimates.estimate(each, DRAWS.method) for name, each in found.items()}
    return values, drawn.num_patients
