"""This holds the pictures of a report: its figures as files, and as data within the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfptx.studies.report import (
    cases,
    example_figure,
    figures,
    judgement_figures,
    theme,
    training_figure,
)
from tfptx.studies.report.example_figure import Example
from tfptx.studies.report.fits import Fit
from tfptx.studies.report.judgement import Judgement
from tfptx.studies.report.tables import Numbers


@dataclass(frozen=True)
class Picture:
    """A figure of the page, as data URIs for a light and a dark one."""

    light: str
    dark: str
    words: str


def draw(
    numbers: Numbers,
    fitted: Sequence[Sequence[Fit]],
    judged: Judgement | None,
    example: Example | None,
    folder: Path,
) -> dict[str, Any]:
    """Write the figures that there are into a folder; give them by name, a list of trainings."""
    found: dict[str, Any] = {"training": []}

    def add(name: str, height_inches: float, drawing: theme.Draw, words: str) -> Picture:
        theme.save(folder, name, height_inches, drawing)
        return _picture(folder, name, words)

    if "threshold" in numbers.sweeps:
        curve = figures.threshold_curve(numbers.sweeps["threshold"])
        found["threshold"] = add("threshold", 4.4, curve, "Mean Dice by threshold")
    if "joint" in numbers.sweeps:
        surface = figures.joint_map(numbers.sweeps["joint"])
        words = "Mean Dice by threshold and smallest mask"
        found["joint"] = add("joint", 4.4, surface, words)
    if numbers.backbones is not None:
        height_inches = 1.45 + 0.35 * len(numbers.backbones)
        drawing = figures.backbones(numbers.backbones)
        found["backbones"] = add("backbones", height_inches, drawing, "Mean Dice by backbone")
    if judged is not None:
        found |= _of_judgement(judged, add)
    if example is not None:
        drawing = example_figure.example(example)
        words = "Radiograph, true mask, probability and mask of the network of one case"
        found["example"] = add("example", example_figure.HEIGHT_INCHES, drawing, words)
    for i, stages in enumerate(fitted):
        where = str(stages[0].folder.path.parent)
        drawing = training_figure.training(stages)
        found["training"].append(
            (where, add(f"training-{i}", 8.4, drawing, f"Training of {where}"))
        )
    return found


def _of_judgement(judged: Judgement, add: Any) -> dict[str, Picture]:
    drawing = judgement_figures.reliability(judged.reliability)
    found = {"reliability": add("reliability", 3.6, drawing, "Reliability of the probability")}
    if judged.subgroups:
        height_inches = judgement_figures.height_of_subgroups(judged.subgroups)
        drawing = judgement_figures.subgroups(judged.subgroups, judged.figures["mean_dice"])
        found["subgroups"] = add("subgroups", height_inches, drawing, "Mean Dice by subgroup")
    return found


def _picture(folder: Path, name: str, words: str) -> Picture:
    light, dark = (
        cases.data_uri((folder / theme.file_name(name, each)).read_bytes(), "png")
        for each in theme.THEMES
    )
    return Picture(light, dark, words)
