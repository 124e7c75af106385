"""This holds the command `tfptx compare-backbones`."""

from pathlib import Path
from typing import Any, Literal, get_args

import click

from tfptx.cli import options
from tfptx.cli.fit import announce
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow
from tfptx.config import EncoderName

HEADINGS = (
    "encoder",
    "parameters",
    "threshold",
    "mean Dice",
    "pair",
    "mean Dice",
    "on positives",
    "all empty",
    "seconds an epoch",
)


@click.command()
@options.config
@options.records
@click.option("--out", type=Path, required=True, help="Study folder.")
@click.option(
    "--encoder",
    "encoders",
    type=click.Choice(get_args(EncoderName)),
    multiple=True,
    help="May be given more than once; none: the paper's three.",
)
@options.held_out_fold
@click.option("--stage", type=click.Choice(["1", "2"]), help="One stage only; none: both.")
@options.overrides
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON, a row an encoder.")
def command(
    config_toml: Path,
    records: Path,
    out: Path,
    encoders: tuple[EncoderName, ...],
    fold: int,
    stage: Literal["1", "2"] | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Fit one study with several encoders and compare their best operating points.

    OUT receives runs/<encoder>, maps/<encoder>, sweeps/<encoder> and backbones.csv, which "tfptx
    report OUT" shows; here it is printed best first, by the mean Dice of the best pair. Called
    again it goes on where it was cut off, and an encoder that is through takes no time; so name
    all encoders that the table is to have.

      tfptx compare-backbones --config configs/seresnext50.toml --out study
    """
    from tfptx import config  # noqa: PLC0415 - pydantic takes a while to import

    study = config.read(config_toml, overrides)
    import_tensorflow()
    from tfptx.studies import backbones, backbones_table  # noqa: PLC0415 - TensorFlow takes seconds to import

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
    ordered = backbones_table.best_first(table)
    if as_json:
        click.echo(ordered.to_json(orient="records", indent=2, double_precision=15))
        return
    for line in _aligned([HEADINGS, *map(_cells, ordered.to_dict("records"))]):
        click.echo(line)
    click.echo(f"{out}/backbones.csv; show it with tfptx report {out}")


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    """What the table shows of an encoder, in the order of HEADINGS."""
    return (
        row["encoder"],
        f"{row['parameters'] / 1e6:.1f} M",
        f"{row['best_threshold']:g}",
        f"{row['threshold_mean_dice']:.4f}",
        f"{row['pair_threshold']:g}, {row['pair_min_pixels']} px",
        f"{row['mean_dice']:.4f}",
        f"{row['positive_dice']:.4f}",
        f"{row['all_empty_dice']:.4f}",
        f"{row['seconds_per_epoch']:.1f}",
    )


def _aligned(lines: list[tuple[str, ...]]) -> list[str]:
    """Lines of equal width, their first cell to the left, the others to the right."""
    first_width, *widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return [
        "  ".join([f"{first:{first_width}}", *map(str.rjust, others, widths)])
        for first, *others in lines
    ]
