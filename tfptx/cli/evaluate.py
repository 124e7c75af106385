"""This holds the command `tfptx evaluate`."""

from pathlib import Path

import click

from tfptx.cli.figures import ALL_EMPTY, echo_json, echo_table
from tfptx.cli.progress import progress

ORIGINS = {
    True: "these are the maps that the point was chosen on: expect less on others",
    False: "these are not the maps that the point was chosen on",
    None: "the point does not say on which maps it was chosen",
}


@click.command()
@click.argument("maps", type=Path, nargs=-1, required=True)
@click.option("--point", "path", type=Path, required=True, help="Operating point of a sweep.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(maps: tuple[Path, ...], path: Path, as_json: bool) -> None:
    """Score an operating point on MAPS; several are taken as one.

    tfptx evaluate maps-test --point study/joint/point.json
    """
    from tfptx.operating_point import sweep, tables  # noqa: PLC0415 - imports pandas

    point = tables.read_point(path)
    with progress("evaluate") as advance:
        found = sweep.evaluate(maps, point, advance)
    if as_json:
        rule = point.cell | {"size_px": point.size_px}
        echo_json(
            found.figures
            | rule
            | {
                "all_empty_dice": found.all_empty["mean_dice"],
                "num_images": found.num_images,
                "chosen_on_these_maps": found.chosen_on_these_maps,
            }
        )
        return
    echo_table({ALL_EMPTY: found.all_empty, point.label: found.figures})
    click.echo(f"{found.num_images} images; {ORIGINS[found.chosen_on_these_maps]}")
