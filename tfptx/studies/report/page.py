"""This holds the page: the report of a study as one HTML file that needs nothing beside it."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from tfptx import files
from tfptx.operating_point.grid import AXES, Kind
from tfptx.studies import backbones_table
from tfptx.studies.report import cases, figures, fits, sources, tables, theme, training_figure
from tfptx.studies.report.fits import Fit
from tfptx.studies.report.tables import Numbers

NAME = "report.html"
FIGURES = "figures"
TEMPLATE = "page.html"
NUM_CASES = 6  # of each kind: fills rows of three, and of two on a phone
NUM_BEST_CELLS = 10
NOT_KNOWN = "n/a"


@dataclass(frozen=True)
class Picture:
    """A figure of the page, as data URIs for a light and a dark one."""

    light: str
    dark: str
    words: str


@dataclass(frozen=True)
class Gap:
    """A part of the report that is not there: what, why, and the command that makes it."""

    reason: str
    command: str


def write(study: Path, run_folders: Sequence[Path] = ()) -> Path:
    """Write STUDY/report.html and STUDY/figures/ from what stands in a study; gives the page.

    `run_folders` are those whose training is shown; in a comparison of backbones, where none are
    named, those of its best one. What is missing is said on the page with the command that makes
    it. Called again, it makes all of it anew.
    Raises ValueError where a folder is no run, or there is nothing at all to show.
    """
    named = fits.read(run_folders)
    numbers = tables.read(study)
    fitted = named or fits.read(_own_runs(study, numbers))
    if not (numbers.sweeps or numbers.backbones is not None or fitted):
        raise ValueError(
            f"no study at {study}: it holds no sweep ({', '.join(AXES)}) and no "
            f"{backbones_table.NAME}; make it with tfptx sweep joint MAPS --out {study}"
        )
    opened, gallery = _cases(numbers, study)
    with files.writing_folder(study / FIGURES) as folder:
        pictures = _draw(numbers, fitted, folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"dice": _dice, "percent": _percent, "short": sources.short}
    text = environment.get_template(TEMPLATE).render(
        name=_name(study, fitted),
        numbers=numbers,
        headline=tables.headline(numbers.sweeps) if numbers.sweeps else [],
        main=numbers.sweeps.get("joint", numbers.sweeps.get("threshold")),
        best_cells={
            kind: tables.best_cells(swept, NUM_BEST_CELLS) for kind, swept in numbers.sweeps.items()
        },
        pictures=pictures,
        gaps=_gaps(numbers, fitted, study),
        gallery=gallery,
        backbones=[] if numbers.backbones is None else numbers.backbones.to_dict("records"),
        sources=sources.of_sweeps(numbers.sweeps, opened),
        fits=sources.of_fits(fitted, numbers.sweeps),
        evaluate=f"tfptx evaluate MAPS --point {numbers.folder / 'joint' / 'point.json'}",
    )
    page = study / NAME
    files.write_text(page, text)
    return page


def _own_runs(study: Path, numbers: Numbers) -> list[Path]:
    if numbers.backbone is None:
        return []
    run = study / backbones_table.RUNS / numbers.backbone
    return [run] if run.is_dir() else []


def _draw(numbers: Numbers, fitted: list[list[Fit]], folder: Path) -> dict[str, Any]:
    pictures: dict[str, Any] = {"training": []}
    if "threshold" in numbers.sweeps:
        theme.save(folder, "threshold", 4.4, figures.threshold_curve(numbers.sweeps["threshold"]))
        pictures["threshold"] = _picture(folder, "threshold", "Mean Dice by threshold")
    if "joint" in numbers.sweeps:
        theme.save(folder, "joint", 4.4, figures.joint_map(numbers.sweeps["joint"]))
        pictures["joint"] = _picture(folder, "joint", "Mean Dice by threshold and smallest mask")
    if numbers.backbones is not None:
        height_inches = 1.45 + 0.35 * len(numbers.backbones)
        theme.save(folder, "backbones", height_inches, figures.backbones(numbers.backbones))
        pictures["backbones"] = _picture(folder, "backbones", "Mean Dice by backbone")
    for i, stages in enumerate(fitted):
        name = f"training-{i}"
        theme.save(folder, name, 8.4, training_figure.training(stages))
        where = stages[0].folder.path.parent
        pictures["training"].append((str(where), _picture(folder, name, f"Training of {where}")))
    return pictures


def _cases(numbers: Numbers, study: Path) -> tuple[dict[Kind, Any], dict[str, Any]]:
    """The maps of each sweep, and the cases at the best pair, or why there are none."""
    opened: dict[Kind, Any] = {}
    problem = "There is no sweep of pairs, at whose best one the cases are shown."
    command = _sweep_command(numbers, "joint", study)
    for kind, swept in numbers.sweeps.items():
        try:
            opened[kind] = cases.collections(swept)
        except (ValueError, OSError) as error:
            problem = f"The maps can't be read: {error}"
            command = f"tfptx report {study}"
    if "joint" not in opened:
        return opened, {"gap": Gap(problem, command)}
    point = numbers.sweeps["joint"].point
    table = cases.outcomes(opened["joint"], point)
    shown = [
        (kind, [(case, _data_uri(case.drawing, "jpeg")) for case in found])
        for kind, found in cases.galleries(opened["joint"], table, point, NUM_CASES)
    ]
    return opened, {"gap": None, "tally": cases.tally(table), "shown": shown}


def _name(study: Path, fitted: Sequence[Sequence[Fit]]) -> str:
    """The names that the configs give the study, else that of its folder."""
    names = dict.fromkeys(fit.study.name for stages in fitted for fit in stages)
    return ", ".join(names) or study.resolve().name


def _gaps(numbers: Numbers, fitted: list[list[Fit]], study: Path) -> dict[str, Gap]:
    gaps: dict[str, Gap] = {}
    for kind in tables.KINDS:
        if kind not in numbers.sweeps:
            command = _sweep_command(numbers, kind, study)
            gaps[kind] = Gap(f"There is no {kind} sweep yet.", command)
    if numbers.backbones is None:
        command = f"tfptx compare-backbones --config CONFIG --records RECORDS --out {study}"
        gaps["backbones"] = Gap("Backbones have not been compared in this study.", command)
    if not fitted:
        command = f"tfptx report {study} --run RUN"
        gaps["training"] = Gap("The runs behind the maps were not named.", command)
    return gaps


def _sweep_command(numbers: Numbers, kind: Kind, study: Path) -> str:
    """The command of a missing sweep, on the maps of the other one where that stands."""
    known = next(iter(numbers.sweeps.values()), None)
    folders = "MAPS" if known is None else " ".join(m["folder"] for m in known.origin["maps"])
    out = study if known is None else numbers.folder
    return f"tfptx sweep {kind} {folders} --out {out}"


def _picture(folder: Path, name: str, words: str) -> Picture:
    light, dark = (
        _data_uri((folder / theme.file_name(name, each)).read_bytes(), "png")
        for each in theme.THEMES
    )
    return Picture(light, dark, words)


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _dice(value: float | None) -> str:
    return NOT_KNOWN if value is None or math.isnan(value) else f"{value:.4f}"


def _percent(value: float | None) -> str:
    return (
        NOT_KNOWN if value is None or math.isnan(value) else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
    )
