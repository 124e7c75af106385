"""This holds the command `tfptx study`."""

from pathlib import Path
from typing import Literal

import click

from tfptx.cli import backbones as printed
from tfptx.cli import options, output
from tfptx.cli.fit import announce
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow
from tfptx.config import EncoderName


@click.command()
@options.config
@options.records
@click.option("--out", type=Path, required=True, help="Study folder.")
@printed.encoders
@options.fold_or_all
@printed.seeds
@printed.stage
@options.overrides
@click.option(
    "--overwrite", is_flag=True, help="Replace sweeps of other maps or another grid in OUT."
)
def command(
    config_toml: Path,
    records: Path,
    out: Path,
    encoders: tuple[EncoderName, ...],
    fold: str,
    num_seeds: int,
    stage: Literal["1", "2"] | None,
    overrides: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Do the paper's three experiments, one after the other.

    Backbones are compared as by compare-backbones; the best one goes on into the sweep of the
    threshold and into that of threshold and smallest mask. Where the records have a test share, the
    chosen pair is assessed there. OUT receives all of it, and report.html. Called again it goes on
    where it was cut off.

      tfptx study --config configs/seresnext50.toml --records records --out study

      tfptx study --config configs/resnet34.toml --out study --encoder resnet18 --encoder resnet34
    """
    from tfptx import config  # noqa: PLC0415 - pydantic takes a while to import

    options.fold_number(fold)
    output.refuse_unwritable(out)
    study = config.read(config_toml, overrides)
    import_tensorflow()
    from tfptx.studies import experiments  # noqa: PLC0415 - TensorFlow takes seconds to import

    plan = printed.plan(study, records, encoders, fold, stage, num_seeds)
    found = experiments.run(study, records, out, plan, progress, announce, overwrite)
    printed.echo_study(found)
