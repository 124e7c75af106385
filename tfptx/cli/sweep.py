"""This holds the command `tfptx sweep`."""

from pathlib import Path
from typing import Literal

import click

from tfptx.cli.figures import ALL_EMPTY, echo_json, echo_table
from tfptx.cli.progress import progress

DEFAULT_MIN_PIXELS = "0:4000:250"


@click.command()
@click.argument("kind", type=click.Choice(["threshold", "joint"]))
@click.argument("maps", type=Path, nargs=-1, required=True)
@click.option("--out", type=Path, required=True, help="Study folder; the sweep is a folder in it.")
@click.option("--thresholds", default="0.05:0.95:0.05", show_default=True)
@click.option("--min-pixels", help=f"Smallest masks.  [joint; default: {DEFAULT_MIN_PIXELS}]")
@click.option(
    "--size-px",
    type=click.IntRange(min=1),
    help="Side of the image that --min-pixels are of; elsewhere they scale with the area.  "
    "[default: that of the maps where all are square and alike, else 1024]",
)
@click.option("--overwrite", is_flag=True, help="Replace another sweep that stands at --out.")
@click.option("--json", "as_json", is_flag=True, help="Print the chosen point as JSON.")
def command(
    kind: Literal["threshold", "joint"],
    maps: tuple[Path, ...],
    out: Path,
    thresholds: str,
    min_pixels: str | None,
    size_px: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Score every cell of a grid on MAPS and choose the operating point.

    "threshold" sweeps thresholds alone, "joint" thresholds and smallest masks. Several MAPS, as
    the folds of a study, are taken as one. A grid is first:last:step, or values with commas.

      tfptx sweep joint maps --out study --thresholds 0.05:0.95:0.05 --min-pixels 0:4000:250
    """
    from tfptx.operating_point import grid, sweep, tables  # noqa: PLC0415 - imports pandas

    if kind == "threshold" and min_pixels is not None:
        raise ValueError("a threshold sweep has no --min-pixels; leave it out or sweep joint")
    cells = grid.values(thresholds)
    sizes = grid.pixels(DEFAULT_MIN_PIXELS if min_pixels is None else min_pixels)
    with progress("sweep") as advance:
        found = sweep.run(kind, maps, cells, sizes if kind == "joint" else (0,), size_px, advance)
    is_new = tables.write_sweep(out, found, overwrite)
    folder, point = out / kind, found.point
    paths = {"point": str(folder / tables.POINT), "results": str(folder / tables.RESULTS)}
    if as_json:
        kept = ("threshold", "min_pixels", "size_px", "all_empty_dice", "num_images")
        echo_json(found.figures | point.model_dump(include=set(kept)) | paths | {"is_new": is_new})
        return
    click.echo(f"{kind} sweep of {len(found.results)} cells on {point.num_images} images")
    echo_table({ALL_EMPTY: found.all_empty, point.label: found.figures})
    if found.figures["mean_dice"] <= found.all_empty["mean_dice"]:
        click.echo("no cell of this grid does better than predicting nothing")
    note = "" if is_new else " (stood there already, of the same maps and grid)"
    click.echo(f"{paths['point']} and {paths['results']}{note}")
