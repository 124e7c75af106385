"""This holds the figure of an example: a typical case in four panels."""

from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tfptx.operating_point import rule
from tfptx.operating_point.tables import Point
from tfptx.studies.report import cases
from tfptx.studies.report import theme as themes
from tfptx.studies.report.collection import Collection
from tfptx.studies.report.theme import Theme

HEIGHT_INCHES = 1.66


@dataclass(frozen=True, eq=False)
class Example:
    """A case: its radiograph, uint8, and truth, probability and mask of its map's own size."""

    radiograph: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    probability: NDArray[np.float64]
    mask: NDArray[np.bool_]
    dice: float


def typical(collection: Collection, point: Point) -> Example | None:
    """The positive case of the median Dice, the upper one of two; None where there is none."""
    table = cases.outcomes(collection, point)
    positive = table[table["truth_px"] > 0].sort_values(["dice", "image_id"])
    if positive.empty or not collection.has_pixels:
        return None
    row = positive.iloc[len(positive) // 2]
    maps, position = collection.maps[row["folder"]], int(row["position"])
    levels = maps.levels(position)
    return Example(
        cases.preview(maps, position),
        maps.truth(position),
        levels / rule.LEVELS,
        rule.mask_of_levels(levels, point.rule, maps.presence[position]),
        float(row["dice"]),
    )


def example(case: Example) -> themes.Draw:
    """Radiograph, truth, probability and mask of one case, side by side."""

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(1, 4)
        _show(panels[0], case, "radiograph")
        _show(panels[1], case, "true mask", case.truth, theme.blue)
        _show(panels[2], case, "probability")
        panels[2].imshow(case.probability, cmap="cividis", vmin=0, vmax=1, extent=_extent(case))
        _show(panels[3], case, f"mask, Dice {case.dice:.2f}", case.mask, theme.orange)

    return draw


def _show(
    axes: Axes,
    case: Example,
    title: str,
    mask: NDArray[np.bool_] | None = None,
    colour: str = "",
) -> None:
    """The radiograph with a mask outlined, in the radiograph's pixels."""
    axes.imshow(case.radiograph, cmap="gray", vmin=0, vmax=255, extent=_extent(case))
    axes.set_title(title)
    axes.set_axis_off()
    if mask is None or not mask.any():
        return
    rows, columns = case.radiograph.shape
    small = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    axes.contour(small, levels=[0.5], colors=[colour], linewidths=1.3)


def _extent(case: Example) -> tuple[float, float, float, float]:
    rows, columns = case.radiograph.shape
    return -0.5, columns - 0.5, rows - 0.5, -0.5
