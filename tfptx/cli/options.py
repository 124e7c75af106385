"""This holds the options that several commands share."""

from pathlib import Path

import click

config = click.option(
    "--config",
    "config_toml",
    type=Path,
    default=Path("configs/seresnext50.toml"),
    show_default=True,
    help="The study's config.",
)
overrides = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a value of the config, as stage.2.epochs=3.",
)
records = click.option("--records", type=Path, default=Path("records"), show_default=True)
held_out_fold = click.option(
    "--fold",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The fold held out for validation.",
)
runs = click.option(
    "--run",
    "runs",
    type=Path,
    multiple=True,
    default=[Path("runs")],
    show_default=True,
    help="A run folder; several are averaged.",
)
