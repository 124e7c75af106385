"""This holds the learning-rate range test on disk: its table and its picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from tfptx import files, runs
from tfptx.config import Study
from tfptx.pipeline.material import Material
from tfptx.training import rate_range

CSV, PNG = "rate_range.csv", "rate_range.png"


@dataclass(frozen=True)
class Found:
    """What a range test says of a cycle's largest rate, and where it can be seen."""

    steepest: float
    at_smallest_loss: float
    picture: Path


def find(
    study: Study,
    material: Material,
    run: Path,
    stage: str,
    num_steps: int,
    advance: Callable[[float], None],
    pretrained: Path | None = None,
) -> Found:
    """Run the test and write its table and picture to the stage's folder; no fit begins there.

    Raises ValueError as `tfptx.training.fit` does, or where the loss never falls.
    """
    table = rate_range.measure(study, material, run, stage, num_steps, advance, pretrained)
    folder = runs.stage_folder(run, material.held_out, stage).path
    with files.writing(folder / CSV) as temporary:
        table.to_csv(temporary, index=False)
    steepest = rate_range.steepest(table)
    with files.writing(folder / PNG) as temporary:
        _draw(table, steepest).savefig(temporary, dpi=150)
    smallest = int(table["smoothed_loss"].argmin())
    return Found(steepest, float(table["learning_rate"].iloc[smallest]), folder / PNG)


def _draw(table: pd.DataFrame, steepest: float) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(table["learning_rate"], table["loss"], color="0.75", label="loss of each batch")
    axes.plot(table["learning_rate"], table["smoothed_loss"], label="smoothed")
    axes.axvline(steepest, color="C3", linestyle="--", label=f"falls fastest at {steepest:.1e}")
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss")
    axes.set_ylim(top=1.2 * table["smoothed_loss"].iloc[0], bottom=0)
    axes.legend()
    return figure
