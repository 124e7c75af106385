"""This holds the page: the report of a study as one HTML file that needs nothing beside it."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tfptx import files, runs
from tfptx.operating_point import score
from tfptx.operating_point.cells import Advance, part_of
from tfptx.operating_point.grid import AXES
from tfptx.studies import backbones_table
from tfptx.studies.report import (
    assets,
    cases,
    example_figure,
    explorer,
    fits,
    gaps,
    image_sets,
    judgement,
    paper,
    pictures,
    sources,
    tables,
)
from tfptx.studies.report.fits import Fit
from tfptx.studies.report.image_sets import Images
from tfptx.studies.report.judgement import Judgement
from tfptx.studies.report.tables import Line, Numbers, Swept

NAME = "report.html"
FIGURES = "figures"
TEMPLATE = "page.html"
SCRIPTS = ("words.js", "packing.js", "counts.js", "drawing.js", "explorer.js")
NUM_CASES = 6  # of each kind: fills rows of three, and of two on a phone
NUM_BEST_CELLS = 10
# The shares of the work that progress is told by.
_OF_COUNTS, _OF_JUDGEMENT, _OF_PAGE = 0.3, 0.4, 0.3


def write(
    study: Path,
    run_folders: Sequence[Path],
    judged_on: Sequence[Path],
    advance: Advance,
) -> Path:
    """Write STUDY/report.html, STUDY/figures/ and STUDY/tables/ of what stands; gives the page.

    `study` may be a run folder, too. `run_folders` are those whose training is shown; in a
    comparison of backbones, where none are named, those of its best one. `judged_on` are maps that
    the point was not chosen on; where none are named, those of an assessment in the study. What is
    missing is said on the page with the command that makes it. Called again, it makes all of it
    anew. `advance` hears of finished shares.
    Raises ValueError where a folder is no run or no maps, or there is nothing at all to show.
    """
    numbers = tables.read(study)
    fitted = fits.read(run_folders) or fits.read(_own_runs(study, numbers))
    if not (numbers.sweeps or numbers.backbones is not None or fitted):
        raise ValueError(
            f"no study at {study}: it holds no sweep ({', '.join(AXES)}), no "
            f"{backbones_table.NAME} and no run; make it with tfptx sweep joint MAPS --out {study}"
        )
    main = tables.main(numbers.sweeps)
    images = image_sets.find(numbers, study, judged_on, part_of(advance, _OF_COUNTS))
    judged = _judgement(images, main)
    advance(_OF_JUDGEMENT)
    lines = _lines(numbers, images)
    example = None
    if images.shown is not None and main is not None:
        example = example_figure.typical(images.shown, main.point)
    with files.writing_folder(study / FIGURES) as folder:
        drawn = pictures.draw(numbers, fitted, judged, example, folder)
    with files.writing_folder(study / paper.FOLDER) as folder:
        paper.write(folder, _tables(numbers, lines, judged))
    content = {
        "name": _name(study, fitted),
        "numbers": numbers,
        "headline": [
            (words, list(group)) for words, group in groupby(lines, lambda line: line.images)
        ],
        "main": main,
        "best_cells": {
            kind: tables.best_cells(swept, NUM_BEST_CELLS) for kind, swept in numbers.sweeps.items()
        },
        "pictures": drawn,
        "gaps": gaps.find(numbers, bool(fitted), images.judged is not None, study),
        "images": images,
        "judgement": judged,
        "explorer": None
        if main is None or not images.collections
        else explorer.content(images.collections, list(numbers.sweeps.values()), main),
        "gallery": _gallery(images, main),
        "backbones": [] if numbers.backbones is None else numbers.backbones.to_dict("records"),
        "sources": sources.of_sweeps(numbers.sweeps, images.chosen),
        "judged_source": None if images.judged is None else sources.of_maps(images.judged),
        "fits": sources.of_fits(fitted, numbers.sweeps),
    }
    page = study / NAME
    files.write_text(page, assets.render(TEMPLATE, SCRIPTS, content))
    advance(_OF_PAGE)
    return page


def _own_runs(study: Path, numbers: Numbers) -> list[Path]:
    """The runs that stand in the study, or are it."""
    if numbers.backbone is not None:
        run = study / backbones_table.RUNS / numbers.backbone
        return [run] if run.is_dir() else []
    return [study] if runs.is_run(study) else []


def _judgement(images: Images, main: Swept | None) -> Judgement | None:
    if main is None or images.shown is None:
        return None
    return judgement.judge(images.shown, main.point)


def _lines(numbers: Numbers, images: Images) -> list[Line]:
    """The headline: each point where it was chosen, then where it is judged."""
    if not numbers.sweeps:
        return []
    where = "the sweeps" if images.chosen is None else images.chosen.name
    lines = tables.headline(numbers.sweeps, f"On {where}, where the points were chosen")
    if images.judged is None:
        return lines
    origins = {
        True: "which has radiographs that the points were chosen on",
        False: "where no point was chosen",
        None: "of which the points don't say whether they were chosen there",
    }
    words = f"On {images.judged.name}, {origins[images.judged.is_chosen_on]}"
    nothing = {
        name: float(value) for name, value in score.all_empty(images.judged.truth_px).items()
    }
    lines.append(Line("Predicting nothing", "every mask empty", words, nothing))
    for kind, name in tables.NAMES.items():
        if kind in numbers.sweeps and images.judged.allows(kind):
            point = numbers.sweeps[kind].point
            found = judgement.figures(images.judged, point)
            values = {figure: each.value for figure, each in found.items()}
            dice = found["mean_dice"]
            lines.append(Line(name, point.label, words, values, dice.low, dice.high))
    return lines


def _tables(numbers: Numbers, lines: list[Line], judged: Judgement | None) -> dict[str, Any]:
    found = {} if judged is None else paper.of_judgement(judged)
    if lines:
        found["points"] = paper.points(lines)
    if numbers.backbones is not None:
        found["backbones"] = numbers.backbones
    return found


def _gallery(images: Images, main: Swept | None) -> dict[str, Any]:
    """The cases at the main point, or why there are none."""
    shown = images.shown
    if shown is None or main is None:
        return {"gap": images.problem}
    table = cases.outcomes(shown, main.point)
    found: list[Any] = []
    if shown.has_pixels:
        found = [
            (kind, [(case, cases.data_uri(case.drawing, "jpeg")) for case in drawn])
            for kind, drawn in cases.galleries(shown, table, main.point, NUM_CASES)
        ]
    return {"gap": None, "tally": cases.tally(table), "shown": found}


def _name(study: Path, fitted: Sequence[Sequence[Fit]]) -> str:
    """The names that the configs give the study, else that of its folder."""
    names = dict.fromkeys(fit.study.name for stages in fitted for fit in stages)
    return ", ".join(names) or study.resolve().name
