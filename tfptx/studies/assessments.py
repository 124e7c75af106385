"""This holds the assessment of a point on disk: its tables and its reliability diagram."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from tfptx import files, provenance
from tfptx.operating_point import maps, tables
from tfptx.operating_point.assessment import Assessment, Options
from tfptx.operating_point.subgroups import Subgroup
from tfptx.operating_point.tables import Point
from tfptx.serving.judgement import Judgement

SCHEMA = 1
NAME = "assessment.json"
FIGURES = "figures.csv"
IMAGES = "images.csv"
SUBGROUPS = "subgroups.csv"
CALIBRATION = "calibration.csv"
DIFFERENCES = "differences.csv"
RELIABILITY = "reliability.csv"
PICTURE = "reliability.png"


def write(
    out: Path, found: Assessment, point: Point, folders: Sequence[Path], options: Options
) -> None:
    """Write an assessment, whole or not at all, with the point and what it was made from."""
    with files.writing_folder(out) as temporary:
        _estimates(found).to_csv(temporary / FIGURES, index=False)
        found.images.to_csv(temporary / IMAGES, index=False)
        table_of_subgroups(found.subgroups).to_csv(temporary / SUBGROUPS, index=False)
        if found.differences:
            differences = pd.json_normalize(list(map(dataclasses.asdict, found.differences)))
            differences.to_csv(temporary / DIFFERENCES, index=False)
        found.calibration.to_csv(temporary / CALIBRATION, index=False)
        found.reliability.to_csv(temporary / RELIABILITY, index=False)
        _draw(found.reliability).savefig(temporary / PICTURE, dpi=150)
        tables.write_point(temporary / tables.POINT, point)
        content = {
            "schema": SCHEMA,
            "maps": [str(folder.resolve()) for folder in folders],
            "chosen_on_these_maps": found.chosen_on_these_maps,
            "settings": dataclasses.asdict(options)
            | {"subgroups": options.subgroups and str(options.subgroups)},
            "environment": provenance.environment(),
        }
        files.write_json(temporary / NAME, content)


def judgements(study: Path, point: Point) -> list[Judgement]:
    """Read the assessments of a point that a study holds, in its folders or as one itself.

    Raises ValueError where it holds none.
    """
    found = _of_point(study, point)
    if not found:
        raise ValueError(
            f"{study} holds no assessment of the point {point.label}; make one with tfptx evaluate "
            f"MAPS --point POINT.json --out {study / 'test'}"
        )
    return [_judgement(folder) for folder in found]


def maps_judged_on(study: Path, point: Point) -> list[Path]:
    """The maps of a point's assessment in a study that it was not chosen on.

    None where no such assessment stands there, or its maps no longer stand where they were.
    """
    for folder in _of_point(study, point):
        content = files.read_json(folder / NAME, SCHEMA)
        places = [Path(each) for each in content["maps"]]
        if content["chosen_on_these_maps"] is False and all(
            (place / maps.NAME).is_file() for place in places
        ):
            return places
    return []


def _of_point(study: Path, point: Point) -> list[Path]:
    standing = sorted(path.parent for path in (*study.glob(NAME), *study.glob(f"*/{NAME}")))
    return [folder for folder in standing if tables.read_point(folder / tables.POINT) == point]


def _judgement(folder: Path) -> Judgement:
    content = files.read_json(folder / NAME, SCHEMA)
    tables_of = {}
    for name in (FIGURES, SUBGROUPS, IMAGES):
        try:
            tables_of[name] = pd.read_csv(folder / name)
        except pd.errors.EmptyDataError:
            tables_of[name] = pd.DataFrame()  # of no subgroup there are no columns either
        except (OSError, pd.errors.ParserError, UnicodeDecodeError) as error:
            raise ValueError(f"{folder / name} can't be read; evaluate anew: {error}") from error
    return Judgement(
        folder.name,
        tables_of[FIGURES],
        tables_of[SUBGROUPS],
        tables_of[IMAGES],
        content["chosen_on_these_maps"],
    )


def table_of_subgroups(groups: Sequence[Subgroup]) -> pd.DataFrame:
    """One row a subgroup: column, value, numbers, and each figure with the ends of its interval."""
    return pd.DataFrame(
        {
            "column": each.column,
            "value": each.value,
            "num_images": each.num_images,
            "num_positives": each.num_positives,
            **{
                f"{name}{end}": getattr(figure, part)
                for name, figure in each.figures.items()
                for part, end in (("value", ""), ("low", "_low"), ("high", "_high"))
            },
        }
        for each in groups
    )


def _estimates(found: Assessment) -> pd.DataFrame:
    rows = [
        {
            "figure": name,
            **dataclasses.asdict(figure),
            "all_empty": found.all_empty.get(name),
        }
        for name, figure in found.figures.items()
    ]
    return pd.DataFrame(rows)


def _draw(reliability: pd.DataFrame) -> Figure:
    kinds = list(dict.fromkeys(reliability["kind"]))
    figure = Figure(figsize=(4 * len(kinds), 4), layout="constrained")
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        bins = reliability[reliability["kind"] == kind]
        axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="calibrated")
        axes.plot(bins["probability"], bins["observed"], marker="o", label=f"by {kind}")
        axes.set_xlabel("probability said")
        axes.set_ylabel("share that came true")
        axes.set_aspect("equal")
        axes.legend(loc="upper left", frameon=False)
    return figure
