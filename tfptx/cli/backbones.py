"""This holds what the commands that compare backbones share: options, plan and printed table."""

from pathlib import Path
from typing import Any, Literal, get_args

import click

from tfptx.cli import figures, options
from tfptx.config import EncoderName, Study

HEADINGS = (
    "encoder",
    "parameters",
    "GFLOPs",
    "threshold",
    "mean Dice",
    "pair",
    "mean Dice",
    "nested",
    "95 % interval",
    "behind the best",
    "on positives",
    "all empty",
    "ms a step",
    "peak MB",
)

encoders = click.option(
    "--encoder",
    "encoders",
    type=click.Choice(get_args(EncoderName)),
    multiple=True,
    help="May be given more than once; none: the paper's three.",
)
stage = click.option("--stage", type=click.Choice(["1", "2"]), help="One stage only; none: both.")
seeds = click.option(
    "--seeds",
    "num_seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How often each encoder is fitted, from the config's seed on.",
)


def plan(
    study: Study,
    records: Path,
    encoders: tuple[EncoderName, ...],
    fold: str,
    stage: Literal["1", "2"] | None,
    num_seeds: int,
) -> Any:
    """What is compared, as `tfptx.studies.backbones` takes it."""
    from tfptx.studies import backbones, cross_validation  # noqa: PLC0415 - TensorFlow takes seconds

    number = options.fold_number(fold)
    folds = cross_validation.all_folds(records) if number is None else [number]
    stages = (stage,) if stage else tuple(study.stage)
    return backbones.Plan(encoders or backbones.ENCODERS, tuple(folds), stages, num_seeds)


def echo_study(found: Any) -> None:
    """Print the three experiments of `tfptx.studies.experiments`."""
    from tfptx.studies import backbones_table  # noqa: PLC0415 - pandas takes a while to import

    echo_comparison(backbones_table.best_first(found.backbones))
    click.echo(f"\n{found.best} on the folds held out, where its points were chosen")
    swept = found.sweeps.values()
    figures.echo_table(
        [
            figures.Line(figures.ALL_EMPTY, found.sweeps["joint"].all_empty),
            *(
                figures.Line(
                    each.point.label, each.figures, figures.ends(each.point.low, each.point.high)
                )
                for each in swept
            ),
        ]
    )
    if found.judged is not None:
        click.echo("\nthe pair on the test share, that nothing was fitted to or chosen on")
        figures.echo_table(
            [
                figures.Line(figures.ALL_EMPTY, found.judged.all_empty),
                figures.line_of(found.sweeps["joint"].point.label, found.judged.figures),
            ]
        )
    click.echo(f"\n{found.report}")


def echo_comparison(table: Any) -> None:
    """Print a comparison, best first; "nested" is the score of pairs chosen without its images."""
    rows = [HEADINGS, *map(_cells, table.to_dict("records"))]
    first_width, *widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for first, *others in rows:
        click.echo("  ".join([f"{first:{first_width}}", *map(str.rjust, others, widths)]))
    num_seeds = table["num_seeds"].max()
    if num_seeds > 1:
        click.echo(f"threshold and pair are the first seed's, scores means over {num_seeds} seeds")


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    """What the table shows of an encoder, in the order of HEADINGS."""
    return (
        row["encoder"],
        f"{row['parameters'] / 1e6:.1f} M",
        f"{row['gflops']:.1f}",
        f"{row['best_threshold']:g}",
        f"{row['threshold_mean_dice']:.4f}",
        f"{row['pair_threshold']:g}, {row['pair_min_pixels']} px",
        f"{row['mean_dice']:.4f}",
        f"{row['nested_mean_dice']:.4f}",
        figures.ends(row["nested_low"], row["nested_high"]),
        f"{row['behind_best']:.4f} "
        f"({figures.ends(row['behind_best_low'], row['behind_best_high'])})",
        f"{row['positive_dice']:.4f}",
        f"{row['all_empty_dice']:.4f}",
        f"{1000 * row['seconds_per_step']:.0f}",
        f"{row['peak_memory_mb']:.0f}",
    )
