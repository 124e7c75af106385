"""This holds the assessment of a point on maps: all that a reader of its study asks after."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tfptx.operating_point import (
    boundary,
    calibration,
    counts,
    estimates,
    events,
    kinds,
    maps,
    nested,
    outcomes,
    paired,
    prevalence,
    ranking,
    score,
    subgroups,
    sweep,
)
from tfptx.operating_point import cells as grid_cells
from tfptx.operating_point.cells import Advance, part_of
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.grid import of_cell
from tfptx.operating_point.intervals import Bootstrap, Distribution, Draws
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.paired import Difference, System
from tfptx.operating_point.subgroups import Subgroup
from tfptx.operating_point.tables import Point

_OF_COUNTS = 0.3  # of the work, as progress is told


@dataclass(frozen=True)
class Options(Draws):
    """At which prevalences predictive values are given too, and how intervals are drawn.

    `subgroups` is a csv of image ids and columns to part the images by.
    """

    prevalences: tuple[float, ...] = ()
    subgroups: Path | None = None


@dataclass(frozen=True, eq=False)
class Assessment:
    """What a point is worth on maps.

    `figures` are by name, beside those of predicting nothing; `images` is `outcomes.table`.
    `calibration` has one row a kind of event (pixel or image) and method, `reliability` one a kind
    and bin. `differences` are those to other points. `chosen_on_these_maps` is None where the point
    does not say on which it was.
    """

    figures: dict[str, Estimate]
    all_empty: dict[str, float]
    images: pd.DataFrame
    subgroups: list[Subgroup]
    calibration: pd.DataFrame
    reliability: pd.DataFrame
    differences: list[Difference]
    num_patients: int
    num_outlines: int
    chosen_on_these_maps: bool | None


def assess(
    folders: Sequence[Path],
    point: Point,
    options: Options,
    advance: Advance,
    against: Sequence[Point] = (),
) -> Assessment:
    """Assess a point on folders of maps, taken as one. `advance` hears of finished shares.

    `against` are points that it is compared with, image by image.
    Raises ValueError where maps have no truth or don't belong together, or the csv of subgroups
    does not fit them.
    """
    several = maps.read_several(folders)
    counted = sweep.count(several, part_of(advance, _OF_COUNTS))
    images = outcomes.table(several, counted, point, part_of(advance, 1 - _OF_COUNTS))
    names: list[str] = []
    if options.subgroups is not None:
        images, names = subgroups.add_columns(images, options.subgroups)
    drawn = Bootstrap(images["patient_id"].tolist(), options.num_resamples, options.seed)
    parts = nested.parts(grid_cells.images(counted), options.seed)
    said = events.by_kind(counted, images, parts)
    systems = [_system(several, counted, other) for other in against]
    return Assessment(
        figures=_figures(images, drawn, options),
        all_empty=_all_empty(images),
        images=images,
        subgroups=subgroups.find(images, names, options.num_resamples, options.seed),
        calibration=events.tabulated(said, calibration.table),
        reliability=events.tabulated(said, events.reliability),
        differences=[
            paired.difference(drawn, _system_of(images, point), other) for other in systems
        ],
        num_patients=drawn.num_patients,
        num_outlines=int(images["hd95_mm"].notna().sum()),
        chosen_on_these_maps=_is_chosen_on(point, several, counted),
    )


def _is_chosen_on(point: Point, several: Sequence[Maps], counted: Sequence[Counts]) -> bool | None:
    if point.maps is None:
        return None
    return point.maps == counts.joined_fingerprint(counts.fingerprints(several, counted))


def _figures(images: pd.DataFrame, drawn: Bootstrap, options: Options) -> dict[str, Estimate]:
    truth_px, predicted_px = (images[name].to_numpy() for name in ("truth_px", "predicted_px"))
    is_positive, is_found = truth_px > 0, predicted_px > 0
    drawn_figures = estimates.figures(drawn, images["dice"].to_numpy(), predicted_px, truth_px)
    sensitivity, specificity = drawn_figures["sensitivity"], drawn_figures["specificity"]
    ppv, npv = prevalence.predictive_values(drawn, is_found, is_positive)
    scores = images["image_score"].to_numpy()
    further = {
        "auroc": ranking.auroc(drawn, scores, is_positive),
        "average_precision": ranking.average_precision(drawn, scores, is_positive),
        **_distances(images, drawn),
    }
    elsewhere: dict[str, Estimate] = {}
    for share in options.prevalences:
        at = prevalence.predictive_values_at(share, sensitivity, specificity, options.method)
        elsewhere |= {f"ppv_at_{share:g}": at[0], f"npv_at_{share:g}": at[1]}

    def estimated(figures: dict[str, Distribution]) -> dict[str, Estimate]:
        return {name: estimates.estimate(each, options.method) for name, each in figures.items()}

    return estimated(drawn_figures | {"ppv": ppv, "npv": npv}) | elsewhere | estimated(further)


def _distances(images: pd.DataFrame, drawn: Bootstrap) -> dict[str, Distribution]:
    """The mean distances of outlines over the images that have them."""
    hd95_mm, surface_dice = (
        images[name].to_numpy(np.float64) for name in boundary.Distances._fields
    )
    is_measured = ~np.isnan(hd95_mm)
    return {
        "hd95_mm": drawn.ratio(np.nan_to_num(hd95_mm), is_measured.astype(np.float64)),
        "surface_dice": drawn.share(np.nan_to_num(surface_dice), is_measured),
    }


def _system_of(images: pd.DataFrame, point: Point) -> System:
    """What a point makes of images, from their outcomes."""
    names = ("dice", "predicted_px", "truth_px")
    return System(point.label, *(images[name].to_numpy() for name in names))


def _system(several: Sequence[Maps], counted: Sequence[Counts], point: Point) -> System:
    grid = of_cell(point.cell, point.size_px)
    cells = kinds.cells(several, counted, grid, lambda share: None)
    predicted, overlap = cells.at((0,) * len(point.cell))
    truth = cells.images.truth_px
    return System(point.label, score.dice_of_counts(overlap, predicted, truth), predicted, truth)


def _all_empty(images: pd.DataFrame) -> dict[str, float]:
    figures = score.all_empty(images["truth_px"].to_numpy())
    return {name: float(value) for name, value in figures.items()}
