"""This holds the figures of a judgement: reliability of the probability, score by subgroup."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.subgroups import Subgroup
from tfptx.studies.report import theme as themes
from tfptx.studies.report.theme import Theme

INCHES_PER_GROUP = 0.26
MARGIN_INCHES = 1.1


def reliability(bins: pd.DataFrame) -> themes.Draw:
    """What came true by what was said, and below how often it was said; a column a kind of event.

    `bins` are those of `calibration.reliability` with their `kind`.
    """
    kinds = list(dict.fromkeys(bins["kind"]))

    def draw(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(2, len(kinds), sharex=True, height_ratios=(3, 1), squeeze=False)
        for above, below, kind in zip(*panels, kinds, strict=True):
            of_kind = bins[bins["kind"] == kind]
            above.plot([0, 1], [0, 1], color=theme.muted, linestyle=":", label="calibrated")
            above.plot(
                of_kind["probability"],
                of_kind["observed"],
                color=theme.blue,
                marker="o",
                markersize=3.5,
                label=f"by {kind}",
            )
            above.set_ylim(-0.03, 1.03)
            themes.legend(above, 2)
            width = of_kind["high"] - of_kind["low"]
            below.bar(of_kind["low"], of_kind["events"], width, align="edge", color=theme.blue)
            below.set_yscale("log")
            below.set_xlim(0, 1)
            below.set_xlabel("probability said")
        panels[0][0].set_ylabel("share that came true")
        panels[1][0].set_ylabel("events")

    return draw


def height_of_subgroups(groups: Sequence[Subgroup]) -> float:
    """The inches that the figure of subgroups takes."""
    return MARGIN_INCHES + INCHES_PER_GROUP * (len(groups) + 1)


def subgroups(groups: Sequence[Subgroup], whole: Estimate) -> themes.Draw:
    """The mean Dice of each subgroup with its interval, and the line of all images."""

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        places = np.arange(len(groups))[::-1]
        dice = [group.figures["mean_dice"] for group in groups]
        axes.axvspan(whole.low, whole.high, color=theme.grid, zorder=0)
        axes.axvline(whole.value, color=theme.muted, linestyle=":", label="all images")
        axes.hlines(
            places, [d.low for d in dice], [d.high for d in dice], color=theme.blue, linewidth=1.4
        )
        axes.plot([d.value for d in dice], places, "o", color=theme.blue, label="subgroup")
        labels = [
            f"{group.column}: {group.value} ({group.num_images}, {group.num_positives} positive)"
            for group in groups
        ]
        axes.set_yticks(places, labels)
        axes.set_ylim(-0.7, len(groups) - 0.3)
        axes.set_xlabel("mean Dice")
        axes.grid(False, axis="y")
        themes.legend(axes, 2)

    return draw
