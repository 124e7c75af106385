"""This holds the figures of sweeps and backbones."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from tfptx.studies import backbones_table
from tfptx.studies.report import theme as themes
from tfptx.studies.report.tables import Swept
from tfptx.studies.report.theme import Theme

CHOSEN = "#d55e00"  # Okabe and Ito's vermilion, apart from both ends of the map's colours
MAX_TICKS = 11
TIE = 1e-9  # equal means, summed in another order, may differ in their last bits
SHOWN_QUANTILE = 0.25  # cells below share one colour, or the poor ones would take the whole scale


def threshold_curve(swept: Swept) -> themes.Draw:
    """Mean Dice, found and left alone by threshold, with the line of predicting nothing."""
    cells, point = swept.results.sort_values("threshold"), swept.point
    thresholds = cells["threshold"]

    def draw(figure: Figure, theme: Theme) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        above.plot(thresholds, cells["mean_dice"], color=theme.blue, marker=".", label="all images")
        above.plot(
            thresholds,
            cells["positive_dice"],
            color=theme.orange,
            linestyle=(0, (5, 1.5)),
            marker=".",
            label="images with pneumothorax",
        )
        if "low" in cells:
            band = (cells["low"], cells["high"])
            above.fill_between(thresholds, *band, color=theme.blue, alpha=0.15, linewidth=0)
        _line_of_nothing(above, point.all_empty_dice, theme)
        _mark(above, point.rule.bottom_threshold, swept.figures["mean_dice"], theme)
        above.set_ylabel("mean Dice")
        themes.legend(above, 2)
        below.plot(thresholds, cells["sensitivity"], color=theme.green, label="sensitivity")
        below.plot(
            thresholds,
            cells["specificity"],
            color=theme.purple,
            linestyle=(0, (5, 1.5)),
            label="specificity",
        )
        below.set_ylabel("share of images")
        below.set_ylim(-0.03, 1.03)
        below.set_xlabel("threshold of the probability")
        themes.legend(below, 2)
        below.axvline(point.rule.bottom_threshold, color=theme.muted, linewidth=0.8, zorder=0)

    return draw


def joint_map(swept: Swept) -> themes.Draw:
    """Mean Dice of every pair, the chosen one framed, those no better than nothing hatched."""
    table = _pivot(swept, "mean_dice")
    dice, point = table.to_numpy(), swept.point
    column = int(np.argmin(np.abs(table.columns.to_numpy() - point.rule.bottom_threshold)))
    row = int(np.argmin(np.abs(table.index.to_numpy() - point.rule.area_px)))

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        lowest = float(np.quantile(dice, SHOWN_QUANTILE))
        image = axes.pcolormesh(dice, cmap="cividis", vmin=lowest, vmax=float(dice.max()))
        axes.grid(False)
        handles: list[Artist] = [
            Patch(fill=False, edgecolor=CHOSEN, linewidth=2, label="chosen pair")
        ]
        nothing = -np.inf if point.all_empty_dice is None else point.all_empty_dice
        is_no_better = dice <= nothing + TIE
        if is_no_better.any():
            handles.append(_hatch(axes, is_no_better))
        if "on_plateau" in swept.results:
            handles.append(_plateau(axes, _pivot(swept, "on_plateau").to_numpy(bool)))
        axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=CHOSEN, linewidth=2))
        _label_cells(axes, table)
        axes.set_xlabel("threshold of the probability")
        axes.set_ylabel(f"smallest mask, px of an image of {point.size_px} x {point.size_px}")
        axes.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            frameon=False,
            borderaxespad=0.2,
            columnspacing=1.2,
            handlelength=1.6,
        )
        bar = figure.colorbar(image, ax=axes, extend="min", label="mean Dice")
        bar.outline.set_visible(False)

    return draw


def backbones(table: pd.DataFrame) -> themes.Draw:
    """Mean Dice of each backbone at its best threshold and pair, and of pairs chosen apart."""
    ordered = backbones_table.best_first(table)[::-1]
    places = np.arange(len(ordered))

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.hlines(places, ordered["threshold_mean_dice"], ordered["mean_dice"], color=theme.muted)
        axes.plot(
            ordered["threshold_mean_dice"],
            places,
            "o",
            markerfacecolor=theme.background,
            color=theme.blue,
            label="best threshold",
        )
        axes.plot(ordered["mean_dice"], places, "o", color=theme.orange, label="best pair")
        axes.hlines(
            places,
            ordered["nested_low"],
            ordered["nested_high"],
            color=theme.green,
            linewidth=4,
            alpha=0.35,
            zorder=1,
        )
        axes.plot(
            ordered["nested_mean_dice"],
            places,
            "D",
            color=theme.green,
            label="nested, with interval",
        )
        nothing = ordered["all_empty_dice"].iloc[0]
        axes.axvline(nothing, color=theme.muted, linestyle=":", label="predicting nothing")
        axes.set_yticks(places, list(ordered["encoder"]))
        axes.set_ylim(-0.6, len(ordered) - 0.4)
        axes.set_xlabel("mean Dice, all images")
        themes.legend(axes, 2)

    return draw


def _line_of_nothing(axes: Axes, dice: float | None, theme: Theme) -> None:
    if dice is not None:
        axes.axhline(dice, color=theme.muted, linestyle=":")
        axes.annotate(
            f"predicting nothing {dice:.4f}",
            (1.0, dice),
            xycoords=("axes fraction", "data"),
            xytext=(-4, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8,
            color=theme.muted,
        )


def _mark(axes: Axes, threshold: float, dice: float, theme: Theme) -> None:
    axes.plot(
        [threshold], [dice], "o", markersize=8, markerfacecolor="none", color=theme.ink, zorder=5
    )
    axes.annotate(
        f"{dice:.4f} at {threshold:g}",
        (threshold, dice),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
    )
    axes.margins(y=0.12)


def _pivot(swept: Swept, values: str) -> pd.DataFrame:
    """A column of a sweep of pairs: a row a smallest mask, a column a threshold."""
    return swept.results.pivot(index="min_pixels", columns="threshold", values=values)


def _plateau(axes: Axes, is_on: NDArray[np.bool_]) -> Line2D:
    """Draw the border of cells, and give the legend's entry."""
    style: dict[str, Any] = {"color": CHOSEN, "linewidth": 1.2, "linestyle": (0, (3, 1.5))}
    padded = np.pad(is_on, 1)
    for row, column in zip(*np.nonzero(padded[1:, :-1] != padded[:-1, :-1]), strict=True):
        axes.plot([column - 1, column], [row, row], **style)
    for row, column in zip(*np.nonzero(padded[:-1, 1:] != padded[:-1, :-1]), strict=True):
        axes.plot([column, column], [row - 1, row], **style)
    return Line2D([], [], label="its plateau", **style)


def _hatch(axes: Axes, is_no_better: NDArray[np.bool_]) -> Patch:
    """Hatch cells, and give the legend's entry."""
    for row, column in zip(*np.nonzero(is_no_better), strict=True):
        axes.add_patch(
            Rectangle(
                (column, row), 1, 1, fill=False, hatch="////", edgecolor="#ffffff99", linewidth=0
            )
        )
    label = "no better than predicting nothing"
    return Patch(facecolor="#00224e", hatch="////", edgecolor="#ffffff", linewidth=0, label=label)


def _label_cells(axes: Axes, table: pd.DataFrame) -> None:
    """Name columns and rows of a pcolormesh by their values, as many as there is room for."""
    columns = range(0, table.shape[1], -(-table.shape[1] // MAX_TICKS))
    rows = range(0, table.shape[0], -(-table.shape[0] // MAX_TICKS))
    axes.set_xticks([i + 0.5 for i in columns], [f"{table.columns[i]:g}" for i in columns])
    axes.set_yticks([i + 0.5 for i in rows], [f"{table.index[i]:g}" for i in rows])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
