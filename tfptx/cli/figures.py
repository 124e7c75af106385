"""This holds the table of figures that commands print, with its line of predicting nothing."""

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


def echo_table(label: str, figures: dict[str, float], all_empty: dict[str, float]) -> None:
    """Print figures below those of predicting nothing."""
    width = max(len(label), len(ALL_EMPTY))
    click.echo("  ".join([" " * width, *HEADINGS.values()]))
    for name, line in ((ALL_EMPTY, all_empty), (label, figures)):
        cells = [f"{line[key]:{len(heading)}.6f}" for key, heading in HEADINGS.items()]
        click.echo("  ".join([f"{name:{width}}", *cells]))


def echo_json(content: Mapping[str, object]) -> None:
    """Print an object as JSON; a figure that no image bears on is null."""
    known = {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in content.items()
    }
    click.echo(json.dumps(known, indent=2))
