"""This holds the table of figures that commands print."""

import json
import math
from collections.abc import Mapping

import click

HEADINGS = {
    "mean_dice": "mean Dice",
    "positive_dice": "on positives",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "empty_share": "empty share",
}
ALL_EMPTY = "all empty"


def echo_table(lines: Mapping[str, Mapping[str, float]]) -> None:
    """Print figures, a line for each label."""
    width = max(map(len, lines))
    click.echo("  ".join([" " * width, *HEADINGS.values()]))
    for label, figures in lines.items():
        cells = [f"{figures[key]:{len(heading)}.6f}" for key, heading in HEADINGS.items()]
        click.echo("  ".join([f"{label:{width}}", *cells]))


def echo_json(content: Mapping[str, object]) -> None:
    """Print an object as JSON; a figure that no image bears on is null."""
    known = {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in content.items()
    }
    click.echo(json.dumps(known, indent=2))
