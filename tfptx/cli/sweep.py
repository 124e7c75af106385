"""This holds the command `tfptx sweep`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from tfptx.cli import options, output
from tfptx.cli.figures import ALL_EMPTY, Line, echo_json, echo_table, ends, interval
from tfptx.cli.progress import progress

Kind = Literal["threshold", "joint", "triplet", "components", "presence"]
Command = TypeVar("Command", bound=Callable[..., Any])

# By kind the options that give its axes, and what they are where unset.
AXES: dict[Kind, dict[str, str]] = {
    "threshold": {"thresholds": "0.05:0.95:0.05"},
    "joint": {"thresholds": "0.05:0.95:0.05", "min_pixels": "0:4000:250"},
    "triplet": {
        "top_thresholds": "0.5:0.9:0.05",
        "areas": "0:4000:500",
        "bottom_thresholds": "0.2:0.7:0.05",
    },
    "components": {"thresholds": "0.05:0.95:0.05", "component_pixels": "0:2000:100"},
    "presence": {
        "thresholds": "0.05:0.95:0.05",
        "min_pixels": "0:4000:250",
        "presence_thresholds": "0:0.9:0.1",
    },
}

LAST_BITS = 1e-12  # in which equal means may differ

# The axis of the grid that an option gives.
AXIS_OF = {
    "thresholds": "threshold",
    "min_pixels": "min_pixels",
    "top_thresholds": "top_threshold",
    "areas": "area_px",
    "bottom_thresholds": "bottom_threshold",
    "component_pixels": "min_component_px",
    "presence_thresholds": "min_presence",
}


def axis_option(name: str, words: str) -> Callable[[Command], Command]:
    """An option that gives an axis of the grid; its help names the kinds that have it."""
    unset = {kind: axes[name] for kind, axes in AXES.items() if name in axes}
    default = next(iter(unset.values()))
    return click.option(
        f"--{name.replace('_', '-')}",
        name,
        metavar="GRID",
        help=f"{words}.  [{', '.join(unset)}; default: {default}]",
    )


@click.command()
@click.argument("kind", type=click.Choice(list(AXES)))
@click.argument("maps", type=Path, nargs=-1, required=True)
@click.option("--out", type=Path, required=True, help="Study folder; the sweep is a folder in it.")
@axis_option("thresholds", "Least probability of a mask's pixel")
@axis_option("min_pixels", "Smallest masks; smaller ones become empty")
@axis_option("top_thresholds", "Least probability of the pixels that must be there")
@axis_option("areas", "How many of them must be there, or the mask is empty")
@axis_option("bottom_thresholds", "Least probability of a mask's pixel then")
@axis_option("component_pixels", "Smallest components; smaller ones are dropped")
@axis_option("presence_thresholds", "Least presence of an image; below it the mask is empty")
@click.option("--fill-holes", is_flag=True, help="Fill the holes of each mask first.  [components]")
@click.option(
    "--size-px",
    type=click.IntRange(min=1),
    help="Side of the image that pixels are of; elsewhere they scale with the area.  "
    "[default: that of the maps where all are square and alike, else 1024]",
)
@click.option(
    "--min-sensitivity",
    type=options.FiniteRange(0, 1),
    default=0.0,
    help="Choose among cells that find at least this share of the positive images.",
)
@click.option(
    "--min-specificity",
    type=options.FiniteRange(0, 1),
    default=0.0,
    help="Choose among cells that leave empty at least this share of the others.",
)
@click.option(
    "--cost-of-miss",
    type=options.FiniteRange(0, min_open=True),
    help="Choose by cost, not Dice: what a missed image costs, a false alarm being 1.",
)
@options.interval_method
@options.resamples
@options.seed
@click.option("--overwrite", is_flag=True, help="Replace another sweep that stands at --out.")
@click.option("--json", "as_json", is_flag=True, help="Print the chosen point as JSON.")
def command(
    kind: Kind,
    maps: tuple[Path, ...],
    out: Path,
    fill_holes: bool,
    size_px: int | None,
    min_sensitivity: float,
    min_specificity: float,
    cost_of_miss: float | None,
    method: Literal["bca", "percentile"],
    resamples: int,
    seed: int,
    overwrite: bool,
    as_json: bool,
    **grids: str | None,
) -> None:
    """Score every cell of a grid on MAPS and choose the operating point.

    "threshold" sweeps thresholds alone; "joint" thresholds and smallest masks; "triplet" a high
    threshold that enough pixels must reach and a low one that the mask then has; "components"
    thresholds and smallest connected components; "presence" pairs, and what a network with that
    head must say of the whole image. Several MAPS, as the folds of a study, are taken as one. A
    GRID is first:last:step, or values with commas.

    The point is the middle of the plateau: of the cells around the best one that tie with it within
    noise. Beside its score there, and the 95 % interval over patients, stands the nested one, of
    points that were chosen on all folds but the one that they were judged on; of all fifths of the
    patients but one where the maps are of one fold, or have a patient in several.

      tfptx sweep joint maps --out study --thresholds 0.05:0.95:0.05 --min-pixels 0:4000:250

      tfptx sweep triplet maps --out study

      tfptx sweep joint maps --out study-sensitive --min-sensitivity 0.95
    """
    from tfptx.operating_point import sweep, tables  # noqa: PLC0415 - imports pandas
    from tfptx.operating_point.choice import Criterion  # noqa: PLC0415 - imports SciPy

    axes = _axes(kind, grids, fill_holes)
    # Whether the sweep there is this one shows only when the maps are counted.
    output.check(out / kind, True, tables.PROVENANCE, maps)
    criterion = Criterion(min_sensitivity, min_specificity, cost_of_miss)
    settings = sweep.Options(method, resamples, seed, criterion)

    def check(origin: tables.Origin) -> None:
        if not overwrite:
            tables.stands(out, origin)

    with progress("sweep") as advance:
        found = sweep.run(kind, axes, maps, size_px, advance, settings, check)
    is_new = tables.write_sweep(out, found, overwrite)
    paths = {
        "point": str(out / kind / tables.POINT),
        "results": str(out / kind / tables.RESULTS),
    }
    if as_json:
        echo_json(_content(found) | paths | {"is_new": is_new})
        return
    _tell(found)
    note = "" if is_new else " (stood there already, of the same maps and grid)"
    click.echo(f"{paths['point']} and {paths['results']}{note}")


def _axes(kind: Kind, grids: dict[str, str | None], fill_holes: bool) -> dict[str, tuple[Any, ...]]:
    """The values of the grid's axes by the names that it has for them."""
    from tfptx.operating_point import grid  # noqa: PLC0415 - NumPy takes a while to import

    for name, text in grids.items():
        if text is not None and name not in AXES[kind]:
            raise ValueError(f"a {kind} sweep has no --{name.replace('_', '-')}; leave it out")
    if fill_holes and kind != "components":
        raise ValueError(f"a {kind} sweep has no --fill-holes; leave it out or sweep components")
    given = {name: text for name, text in grids.items() if text is not None}
    # What no option of the kind gives.
    axes: dict[str, tuple[Any, ...]] = {"min_pixels": (0,), "fills_holes": (fill_holes,)}
    for name, text in (AXES[kind] | given).items():
        axes[AXIS_OF[name]] = (grid.values if "thresholds" in name else grid.pixels)(text)
    return {name: axes[name] for name in grid.AXES[kind]}


def _content(found: Any) -> dict[str, Any]:
    point = found.point
    names = ("low", "high", "nested_mean_dice", "nested_low", "nested_high", "optimism")
    return {
        **found.figures,
        **{name: getattr(point, name) for name in names},
        **point.cell,
        "size_px": point.size_px,
        "all_empty_dice": point.all_empty_dice,
        "num_images": point.num_images,
        "best_mean_dice": found.best_mean_dice,
        "mean_cost": found.cost,
        "parts_without_choice": found.parts_without_choice,
    }


def _tell(found: Any) -> None:
    point = found.point
    click.echo(f"{found.kind} sweep of {len(found.results)} cells on {point.num_images} images")
    echo_table([Line(ALL_EMPTY, found.all_empty), Line(point.label, found.figures)])
    click.echo(f"mean Dice {point.mean_dice:.4f}, {interval(point.low, point.high)}")
    if found.cost is not None:
        cost_of_miss = found.origin.settings["criterion"]["cost_of_miss"]
        click.echo(
            f"chosen by cost: {found.cost:.4f} an image, a miss costing {cost_of_miss:g} and a "
            "false alarm 1"
        )
    if point.nested_mean_dice is not None:
        optimism = round(point.optimism, 4) + 0.0  # no minus before a zero
        click.echo(
            f"chosen and judged on different images: {point.nested_mean_dice:.4f}, "
            f"{ends(point.nested_low, point.nested_high)}; optimism {optimism:.4f}"
        )
        for name in point.cell:
            values = found.choices[name]
            if values.nunique() > 1:
                click.echo(f"{name} chosen there: {values.min():g} to {values.max():g}")
    if found.parts_without_choice:
        parts = ", ".join(map(str, found.parts_without_choice))
        click.echo(
            f"no nested score: without part {parts} no cell of the grid has the sensitivity and "
            "specificity that are asked for"
        )
    _tell_what_the_choice_costs(found)


def _tell_what_the_choice_costs(found: Any) -> None:
    """Say where the chosen cell is not the best one, or none is better than predicting nothing."""
    nothing, chosen = found.all_empty["mean_dice"], found.figures["mean_dice"]
    best = found.best_mean_dice
    if best <= nothing + LAST_BITS:
        click.echo("no cell of this grid does better than predicting nothing")
        return
    if chosen <= nothing + LAST_BITS:
        click.echo("the chosen cell does no better than predicting nothing")
    if best > chosen + LAST_BITS:
        click.echo(f"the best cell's mean Dice is {best:.4f}, {best - chosen:.4f} more")
