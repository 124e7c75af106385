"""This holds the figure of a fit: what was learnt, at which rate, by which layers, from which loss.

All stages of one fold stand on one time line, in epochs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfptx import schedules
from tfptx.studies.report import theme as themes
from tfptx.studies.report.fits import Fit
from tfptx.studies.report.theme import Theme
from tfptx.training import rates

POINTS_PER_EPOCH = 40
DASHED = (0, (4, 1.5))
DOT: dict[str, Any] = {"marker": ".", "markersize": 4}  # else a fit of one epoch shows nothing


def training(stages: Sequence[Fit]) -> themes.Draw:
    """The fit of one fold, its stages one after the other."""
    starts = np.concatenate([[0], np.cumsum([len(fit.history) for fit in stages])])
    placed = [(float(start), fit) for start, fit in zip(starts, stages, strict=False)]
    colours = _terms(stages)

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(5, 1, sharex=True, height_ratios=(3, 3, 2, 2, 2.4))
        _loss(panels[0], placed, colours, theme)
        _dice(panels[1], placed, theme)
        _weights(panels[2], placed, colours, theme)
        _rate(panels[3], placed, theme)
        _groups(panels[4], placed, theme)
        for axes in panels:
            for start in starts[1:-1]:
                axes.axvline(start, color=theme.muted, linewidth=0.8)
            for begin in _phases(placed):
                axes.axvline(begin, color=theme.muted, linewidth=0.8, linestyle=":")
        for i, fit in enumerate(stages):
            # The last name stands at the right end, where it has room however short its stage is.
            is_last = 0 < i == len(stages) - 1
            panels[0].annotate(
                f"stage {fit.folder.stage}, {fit.plan.size_px} px",
                (starts[i + is_last], 1),
                xycoords=("data", "axes fraction"),
                xytext=(-4 if is_last else 4, -3),
                textcoords="offset points",
                ha="right" if is_last else "left",
                va="top",
                fontsize=8,
                color=theme.muted,
            )
        panels[-1].set_xlim(0, starts[-1])
        panels[-1].set_xlabel("epochs" + (" since the start of stage 1" if len(stages) > 1 else ""))

    return draw


def _terms(stages: Sequence[Fit]) -> dict[str, int]:
    """The loss terms of all stages with the place of their colour."""
    names = dict.fromkeys(
        term for fit in stages for phase in fit.plan.curriculum for term in phase.weights
    )
    return {str(term): place for place, term in enumerate(names)}


def _phases(placed: list[tuple[float, Fit]]) -> list[float]:
    """When the curriculum's phases began, but the first ones: their stages' own beginnings."""
    return [
        start + phase.from_epoch
        for start, fit in placed
        for phase in fit.plan.curriculum
        if 0 < phase.from_epoch < len(fit.history)
    ]


def _ends(start: float, fit: Fit) -> "pd.Series[float]":
    """When each epoch of the history ended, which is when its figures were taken."""
    return start + fit.history["epoch"] + 1


def _loss(
    axes: Axes, placed: list[tuple[float, Fit]], colours: dict[str, int], theme: Theme
) -> None:
    named = set()
    for start, fit in placed:
        ends, history = _ends(start, fit), fit.history
        for term in (term for term in colours if term in history):
            # A term without weight is not computed, and reads 0.
            is_on = history[f"{term}_weight"] > 0
            colour = theme.cycle[colours[term] % len(theme.cycle)]
            label = None if term in named else term.replace("_", " ")
            named.add(term)
            axes.plot(ends, history[term].where(is_on), color=colour, label=label, **DOT)
            axes.plot(
                ends,
                history[f"val_{term}"].where(is_on),
                color=colour,
                linestyle=DASHED,
                linewidth=1.1,
                **DOT,
            )
    axes.set_ylabel("loss terms\n(dashed: validation)")
    axes.margins(y=0.15)
    axes.set_ylim(bottom=0)
    themes.legend(axes, 3)


def _dice(axes: Axes, placed: list[tuple[float, Fit]], theme: Theme) -> None:
    for i, (start, fit) in enumerate(placed):
        ends, history = _ends(start, fit), fit.history
        is_first: dict[str, Any] = {"mean": "all images", "positive": "with pneumothorax"}
        label = is_first if not i else {}
        axes.plot(ends, history["val_mean_dice"], color=theme.blue, label=label.get("mean"), **DOT)
        axes.plot(
            ends,
            history["val_positive_dice"],
            color=theme.orange,
            linestyle=DASHED,
            label=label.get("positive"),
            **DOT,
        )
        if fit.result is not None:
            axes.plot(
                [start + fit.result["epoch"] + 1],
                [fit.result["mean_dice"]],
                "o",
                markersize=7,
                markerfacecolor="none",
                color=theme.ink,
                clip_on=False,
                label="best epoch" if not i else None,
            )
    axes.set_ylabel("validation Dice\nat its best cell")
    axes.set_ylim(0, 1.03)
    themes.legend(axes, 3)


def _weights(
    axes: Axes, placed: list[tuple[float, Fit]], colours: dict[str, int], theme: Theme
) -> None:
    for start, fit in placed:
        phases = [(p.from_epoch, p.ramp_epochs, p.weights) for p in fit.plan.curriculum]
        epochs = _times(fit)
        curve = [schedules.term_weights(epoch, phases) for epoch in epochs]
        for term in curve[0]:
            colour = theme.cycle[colours[term] % len(theme.cycle)]
            axes.plot(start + epochs, [weights[term] for weights in curve], color=colour)
    axes.set_ylabel("weight of\nthe terms")
    axes.set_ylim(bottom=0)


def _rate(axes: Axes, placed: list[tuple[float, Fit]], theme: Theme) -> None:
    for start, fit in placed:
        epochs = _times(fit)
        curve = [rates.during(fit.plan, epoch) for epoch in epochs]
        axes.plot(start + epochs, curve, color=theme.green)
    axes.set_ylabel("learning rate")
    axes.set_yscale("log")


def _groups(axes: Axes, placed: list[tuple[float, Fit]], theme: Theme) -> None:
    names = list(dict.fromkeys(x for _, fit in placed for x in fit.plan.unfreezing.from_epoch))
    for start, fit in placed:
        training = fit.history["trainable_groups"].str.split("+", regex=False)
        for place, group in enumerate(names):
            trains = [start + i for i, groups in enumerate(training) if group in groups]
            spans = [(epoch, 1.0) for epoch in trains]
            axes.broken_barh(spans, (place - 0.3, 0.6), color=theme.blue, alpha=0.75, linewidth=0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylabel("layers that train")
    axes.grid(False)


def _times(fit: Fit) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """The times, in epochs since the stage began, at which a schedule is drawn."""
    epochs = len(fit.history)
    # The last is just before the end, where the next cycle or phase would begin.
    return np.linspace(0, epochs, POINTS_PER_EPOCH * epochs, endpoint=False)
