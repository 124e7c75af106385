"""This holds the command `tfptx score`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tfptx.cli import options
from tfptx.cli.figures import (
    ALL_EMPTY,
    Line,
    difference_content,
    echo_difference,
    echo_json,
    echo_table,
    line_of,
)

_IN_ROWS = "in several rows, taken as parts of one mask"
_EMPTY_BESIDE_MASK = "an empty row beside a mask"


@click.command()
@click.argument("files", metavar="PREDICTIONS... TRUTH", type=Path, nargs=-1, required=True)
@click.option(
    "--groups",
    type=Path,
    help="csv of image_id and patient_id, so that intervals are over patients, not images.",
)
@click.option(
    "--size-px", type=click.IntRange(min=1), default=1024, show_default=True, help="Masks' side."
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse ids that are missing, extra or in several rows; in TRUTH, where several rows are "
    "parts of a mask, those with an empty row beside a mask.",
)
@options.resamples
@options.seed
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    files: tuple[Path, ...],
    groups: Path | None,
    size_px: int,
    strict: bool,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Score PREDICTIONS against TRUTH, csv files of ImageId, EncodedPixels, by mean Dice.

    Several PREDICTIONS are compared in pairs: by how much the one scores more, with the interval of
    that difference, and how likely chance makes as much. Scored are the images that are in all
    files; ids that are missing, extra or doubled are told. Intervals are of 95 %.

      tfptx score predictions.csv train-rle.csv

      tfptx score ours.csv theirs.csv train-rle.csv --groups patients.csv
    """
    *predictions, truth = files
    if not predictions:
        raise click.UsageError("name at least one file of predictions, and that of the truth last")
    from tfptx.operating_point import comparison  # noqa: PLC0415 - imports pandas

    found = comparison.compare(predictions, truth, size_px, groups, resamples, seed)
    problems = [problem for scored in found.scored for problem in _problems(scored, truth)]
    problems += _told({f"of {truth} have {_EMPTY_BESIDE_MASK}": found.truth_contradictory})
    if strict and problems:
        raise ValueError("; ".join(problems))
    if as_json:
        echo_json(_content(found))
        return
    _tell(found)
    for problem in _told({f"of {truth} are {_IN_ROWS}": found.truth_repeated}) + problems:
        click.echo(problem)


def _problems(scored: Any, truth: Path) -> list[str]:
    """What is to be said of a file's ids, a line each."""
    path, ids = scored.path, scored.ids
    return _told(
        {
            f"of {truth} are not in {path}": ids.only_in_truth,
            f"of {path} are not in {truth}": ids.only_in_predictions,
            f"of {path} are {_IN_ROWS}": ids.repeated,
            f"of {path} have {_EMPTY_BESIDE_MASK}": ids.contradictory,
        }
    )


def _told(ids_by_words: Mapping[str, Sequence[str]]) -> list[str]:
    """How many images the words hold of, a line each."""
    return [f"{len(ids)} images {words}, as {ids[0]}" for words, ids in ids_by_words.items() if ids]


def _content(found: Any) -> dict[str, Any]:
    """What --json prints: of one file its figures at once, of several a list and differences."""
    rows = [
        {
            "predictions": str(each.path),
            **{name: figure.value for name, figure in each.figures.items()},
            "intervals": {name: [f.low, f.high] for name, f in each.figures.items()},
            **{name: len(ids) for name, ids in vars(each.ids).items()},
        }
        for each in found.scored
    ]
    common = {
        "all_empty_dice": found.all_empty["mean_dice"],
        "truth_repeated": len(found.truth_repeated),
        "truth_contradictory": len(found.truth_contradictory),
        "num_images": found.num_images,
        "num_patients": found.num_patients,
    }
    if len(rows) == 1:
        return rows[0] | common
    differences = [difference_content(each) for each in found.differences]
    return {"scored": rows, "differences": differences, **common}


def _tell(found: Any) -> None:
    scored = (line_of(str(each.path), each.figures) for each in found.scored)
    echo_table([Line(ALL_EMPTY, found.all_empty), *scored])
    for each in found.differences:
        echo_difference(each)
    drawn = "images" if found.num_patients is None else f"{found.num_patients} patients"
    click.echo(f"{found.num_images} images; intervals by drawing {drawn} anew")
