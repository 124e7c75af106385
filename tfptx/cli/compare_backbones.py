"""This holds the command `tfptx compare-backbones`."""

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
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON, a row an encoder.")
def command(
    config_toml: Path,
    records: Path,
    out: Path,
    encoders: tuple[EncoderName, ...],
    fold: str,
    num_seeds: int,
    stage: Literal["1", "2"] | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Fit one study with several encoders and compare their best operating points.

    All have the same folds, seeds and budget. OUT receives runs/<encoder>, maps/<encoder>,
    sweeps/<encoder> and backbones.csv, which "tfptx report OUT" shows; here it is printed best
    first, by the nested mean Dice: that of pairs which were chosen without the images that they are
    judged on. Beside it stand how far each encoder is behind the best and the 95 % interval of that
    over patients; as the best is picked by these very scores, the others look a little worse than
    they are. Called again it goes on where it was cut off, and an encoder that is through takes no
    time; so name all encoders that the table is to have.

      tfptx compare-backbones --config configs/seresnext50.toml --out study

      tfptx compare-backbones --config configs/resnet34.toml --out study --fold all --seeds 3
    """
    from tfptx import config  # noqa: PLC0415 - pydantic takes a while to import

    options.fold_number(fold)
    output.refuse_unwritable(out)
    study = config.read(config_toml, overrides)
    import_tensorflow()
    from tfptx.studies import backbones, backbones_table  # noqa: PLC0415 - TensorFlow takes seconds to import

    plan = printed.plan(study, records, encoders, fold, stage, num_seeds)
    table = backbones.compare(study, records, out, plan, progress, announce)
    ordered = backbones_table.best_first(table)
    if as_json:
        click.echo(ordered.to_json(orient="records", indent=2, double_precision=15))
        return
    printed.echo_comparison(ordered)
    click.echo(f"{out}/backbones.csv; show it with tfptx report {out}")
