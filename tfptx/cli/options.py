"""This holds the options that several commands share."""

import math
import os
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource


class FiniteRange(click.FloatRange):
    """A range of numbers: click's own lets NaN through, which is beyond no bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the number of a text; fail, as wrong usage, where it is none in the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number", param, ctx)
        return number


def cores() -> int:
    """The cores that this process may use, fewer than the machine's in many containers."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def named(*names: str) -> str:
    """The first of these parameters that the command line has, as "--its-name"; "" if it has none.

    What an environment sets does not count: it may be every job's.
    """
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            return f"--{name.replace('_', '-')}"
    return ""


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
workers = click.option("--workers", type=click.IntRange(min=1), default=cores, show_default="cores")
runner = click.option(
    "--runner",
    type=click.Choice(["local", "beam"]),
    default="local",
    show_default=True,
    help="beam: by Apache Beam, whose own options follow --.",
)
records = click.option("--records", type=Path, default=Path("records"), show_default=True)
fold_or_all = click.option(
    "--fold",
    default="0",
    show_default=True,
    help="The fold held out for validation; all: each in turn.",
)


def _each_once(
    ctx: click.Context, param: click.Parameter, folders: tuple[Path, ...]
) -> tuple[Path, ...]:
    """The folders as they were named. Raises UsageError where one is named twice."""
    resolved = [folder.resolve() for folder in folders]
    for place, folder in enumerate(folders):
        if resolved[place] in resolved[:place]:
            raise click.BadParameter(
                f"{folder} is named twice, and its networks would count twice; name each run once",
                ctx,
                param,
            )
    return folders


runs = click.option(
    "--run",
    "runs",
    type=Path,
    multiple=True,
    default=[Path("runs")],
    show_default=True,
    callback=_each_once,
    help="A run folder; several are averaged.",
)
interval_method = click.option(
    "--interval",
    "method",
    type=click.Choice(["bca", "percentile"]),
    default="bca",
    show_default=True,
    help="How the bootstrap's 95 % intervals are made.",
)
resamples = click.option(
    "--resamples",
    type=click.IntRange(min=100),
    default=1000,
    show_default=True,
    help="How often patients are drawn for the intervals.",
)
seed = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of these draws."
)


def fold_number(fold: str) -> int | None:
    """The number that `fold_or_all` names, None for all. Raises UsageError for anything else."""
    if fold != "all" and not fold.isdecimal():
        raise click.UsageError(f"--fold is a number, or all; got {fold!r}")
    return None if fold == "all" else int(fold)
