"""This holds the command `tfptx evaluate`."""

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import click

from tfptx.cli import options, output
from tfptx.cli.figures import (
    ALL_EMPTY,
    Line,
    difference_content,
    echo_difference,
    echo_json,
    echo_table,
    ends,
)
from tfptx.cli.progress import progress

ORIGINS = {
    True: "these are the maps that the point was chosen on: expect less on others",
    False: "these are not the maps that the point was chosen on",
    None: "the point does not say on which maps it was chosen",
}


@click.command()
@click.argument("maps", type=Path, nargs=-1, required=True)
@click.option("--point", "path", type=Path, required=True, help="Operating point of a sweep.")
@click.option(
    "--against",
    type=Path,
    multiple=True,
    help="Another operating point, to tell by how much the first one scores more.",
)
@click.option("--out", type=Path, help="Folder for tables of figures, images, subgroups and bins.")
@click.option(
    "--prevalence",
    "prevalences",
    type=options.FiniteRange(0, 1, min_open=True, max_open=True),
    multiple=True,
    help="Give predictive values where that share of images is positive, too.",
)
@click.option(
    "--subgroups",
    type=Path,
    help="csv of image ids and further columns, as vendor or drain, to part the images by; view, "
    "sex and age too where the maps know none.",
)
@options.interval_method
@options.resamples
@options.seed
@click.option("--overwrite", is_flag=True, help="Replace what stands at --out.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    maps: tuple[Path, ...],
    path: Path,
    against: tuple[Path, ...],
    out: Path | None,
    prevalences: tuple[float, ...],
    subgroups: Path | None,
    method: Literal["bca", "percentile"],
    resamples: int,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Assess an operating point on MAPS; several are taken as one.

    With 95 % intervals over patients it tells Dice, sensitivity and specificity of an image,
    predictive values, how well the largest probability ranks images, and distances of outlines
    where the spacing of pixels is known; Dice, sensitivity and specificity also by view, sex, age,
    size of the true mask and the columns of --subgroups. Calibration is told without intervals.

      tfptx evaluate maps-test --point study/joint/point.json

      tfptx evaluate maps-test --point study/joint/point.json --against study/threshold/point.json

      tfptx evaluate maps-test --point study/joint/point.json --prevalence 0.05 --out assessment
    """
    from tfptx.operating_point import assessment, tables  # noqa: PLC0415 - imports pandas
    from tfptx.studies import assessments  # noqa: PLC0415 - imports matplotlib

    if out is not None:
        output.check(out, overwrite, assessments.NAME, (*maps, path, *against, subgroups))
    point, *others = map(tables.read_point, (path, *against))
    settings = assessment.Options(method, resamples, seed, prevalences, subgroups)
    with progress("evaluate") as advance:
        found = assessment.assess(maps, point, settings, advance, others)
    if out is not None:
        assessments.write(out, found, point, maps, settings)
    if as_json:
        echo_json(_content(found, point))
        return
    _tell(found, point)
    if out is not None:
        click.echo(f"{out}: tables of all of it, and {assessments.PICTURE}")


def _content(found: Any, point: Any) -> dict[str, Any]:
    return {
        **{name: figure.value for name, figure in found.figures.items()},
        "intervals": {name: [each.low, each.high] for name, each in found.figures.items()},
        **point.cell,
        "size_px": point.size_px,
        "all_empty_dice": found.all_empty["mean_dice"],
        "num_images": len(found.images),
        "num_patients": found.num_patients,
        "num_outlines": found.num_outlines,
        "chosen_on_these_maps": found.chosen_on_these_maps,
        "differences": [difference_content(each) for each in found.differences],
        "calibration": found.calibration.to_dict("records"),
        "subgroups": [dataclasses.asdict(each) for each in found.subgroups],
    }


def _tell(found: Any, point: Any) -> None:
    values = {name: figure.value for name, figure in found.figures.items()}
    echo_table([Line(ALL_EMPTY, found.all_empty), Line(point.label, values)])
    for name, figure in found.figures.items():
        if not math.isnan(figure.value):
            words = name.replace("_", " ")
            click.echo(f"{words:20} {figure.value:9.4f}  {ends(figure.low, figure.high)}")
    for each in found.differences:
        echo_difference(each)
    for row in found.calibration.to_dict("records"):
        click.echo(
            f"calibration by {row['kind']}, {row['method']}: ECE {row['ece']:.4f}, "
            f"Brier {row['brier']:.4f}"
        )
    for group in found.subgroups:
        dice, positive = (group.figures[name] for name in ("mean_dice", "positive_dice"))
        click.echo(
            f"{group.column} {group.value}: {group.num_images} images, {group.num_positives} "
            f"positive, mean Dice {dice.value:.4f} ({ends(dice.low, dice.high)}), on "
            f"positives {positive.value:.4f}"
        )
    click.echo(
        f"{len(found.images)} images of {found.num_patients} patients; "
        f"{ORIGINS[found.chosen_on_these_maps]}"
    )
