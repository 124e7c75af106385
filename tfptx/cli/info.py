"""This holds the command `tfptx info`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tfptx import provenance
from tfptx.cli.figures import echo_json

PIPE_COLUMNS = 240  # where there is no terminal, so that no line is broken


@click.command()
@click.argument("folder", type=Path)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def command(folder: Path, as_json: bool) -> None:
    """Say what FOLDER is and holds: records, a run, maps, a study, an export or a file of weights.

    tfptx info records

    tfptx info runs/fold0/stage2/best.weights.h5
    """
    from tfptx.studies import describe  # noqa: PLC0415 - imports pandas

    found = describe.describe(folder)
    if as_json:
        echo_json(asdict(found))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPE_COLUMNS)
    click.echo(f"{folder}: {found.kind}")
    facts = Table.grid(padding=(0, 2))
    for name, value in found.facts.items():
        facts.add_row(Text(name.replace("_", " ")), Text(_words(value)))
    console.print(facts)
    if found.parts:
        console.print(_table(found.parts))


def _table(parts: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    # Not every part has every column: sweeps of two kinds have points of two forms.
    columns = {name: value for part in parts for name, value in part.items()}
    for name, value in columns.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name.replace("_", " "), justify="right" if is_number else "left")
    for part in parts:
        table.add_row(*(Text(_words(part.get(name))) for name in columns))
    return table


def _words(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case dict():
            return ", ".join(f"{name}: {_words(each)}" for name, each in value.items()) or "-"
        case list():
            return ", ".join(_words(each) for each in value) or "-"
        case str() if len(value) == 64:  # a SHA-256
            return provenance.short(value)
    return str(value)
