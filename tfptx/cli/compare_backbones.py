"""This holds the command `tfptx compare-backbones`."""

from pathlib import Path
from typing import Literal, get_args

import click

from tfptx.cli.fit import announce
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow
from tfptx.config import EncoderName


@click.command()
@click.option(
    "--config",
    "config_toml",
    type=Path,
    default=Path("configs/seresnext50.toml"),
    show_default=True,
    help="The study's config; its encoder is replaced.",
)
@click.option("--records", type=Path, default=Path("records"), show_default=True)
@click.option("--out", type=Path, required=True, help="Study folder.")
@click.option(
    "--encoder",
    "encoders",
    type=click.Choice(get_args(EncoderName)),
    multiple=True,
    help="May be given more than once; none: the paper's three.",
)
@click.option(
    "--fold",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The fold held out for validation, whose maps are swept.",
)
@click.option("--stage", type=click.Choice(["1", "2"]), help="One stage only; none: both.")
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a value of the config, as stage.2.epochs=3.",
)
def command(
    config_toml: Path,
    records: Path,
    out: Path,
    encoders: tuple[EncoderName, ...],
    fold: int,
    stage: Literal["1", "2"] | None,
    overrides: tuple[str, ...],
) -> None:
    """Fit one study with several encoders and compare their best operating points.

    OUT receives runs/<encoder>, maps/<encoder>, sweeps/<encoder> and backbones.csv, which "tfptx
    report OUT" shows. Called again it goes on where it was cut off, and an encoder that is through
    takes no time; so name all encoders that the table is to have.

      tfptx compare-backbones --config configs/seresnext50.toml --out study
    """
    from tfptx import config  # noqa: PLC0415 - pydantic takes a while to import

    study = config.read(config_toml, overrides)
    import_tensorflow()
    from tfptx.studies import backbones  # noqa: PLC0415 - TensorFlow takes seconds to import

    table = backbones.compare(
        study,
        records,
        out,
        encoders or backbones.ENCODERS,
        fold,
        (stage,) if stage else tuple(study.stage),
        progress,
        announce,
    )
    for row in table.itertuples():
        click.echo(
            f"{row.encoder}: mean Dice {row.mean_dice:.4f} (positives {row.positive_dice:.4f}, "
            f"all empty {row.all_empty_dice:.4f}) at threshold {row.pair_threshold:g} and "
            f"{row.pair_min_pixels} px; {row.seconds_per_epoch:.1f} s an epoch"
        )
    click.echo(f"{out}/backbones.csv; show it with tfptx report {out}")
