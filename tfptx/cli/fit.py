"""This holds the command `tfptx fit`."""

from pathlib import Path
from typing import Any

import click

from tfptx.cli import options
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@options.config
@options.records
@click.option("--run", type=Path, default=Path("runs"), show_default=True)
@click.option("--stage", type=click.Choice(["1", "2"]), required=True)
@options.held_out_fold
@options.overrides
@click.option("--overwrite", is_flag=True, help="Throw away this stage's fit and begin anew.")
def command(
    config_toml: Path,
    records: Path,
    run: Path,
    stage: str,
    fold: int,
    overrides: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Fit one stage of a study on all folds but one.

    Stage 2 starts from the best weights of stage 1. A fit that was cut off goes on where its last
    finished epoch ended. RUN/fold<K>/stage<N>/ receives the best weights, the history, TensorBoard
    logs and the resolved config.

      tfptx fit --config configs/resnet34.toml --stage 1 --set stage.1.batch_size=8

      tfptx fit --config configs/resnet34.toml --stage 2
    """
    from tfptx import config, runs  # noqa: PLC0415 - pandas takes a while to import

    study = config.read(config_toml, overrides)
    import_tensorflow()
    from tfptx.training.fit import fit  # noqa: PLC0415 - TensorFlow takes seconds to import

    if stage == "2":
        first = runs.finished(run, fold, "1")
        click.echo(f"stage 2 starts from the best weights of {first.path}", err=True)
    with progress(f"fit stage {stage}, fold {fold}") as advance:
        folder = fit(study, records, run, fold, stage, advance, announce, overwrite)
    result = runs.read_result(folder)
    click.echo(
        f"{folder.path}: best epoch {result['epoch']} of {result['epochs']}, "
        f"validation mean Dice {result['mean_dice']:.4f} "
        f"(positives {result['positive_dice']:.4f}) at threshold {result['threshold']:.2f} and "
        f"{result['min_pixels']:.0f} px"
    )


def announce(row: dict[str, Any]) -> None:
    """Tell of a finished epoch on stderr."""
    click.echo(
        f"epoch {row['epoch']}: loss {row['loss']:.4f}, validation loss {row['val_loss']:.4f}, "
        f"mean Dice {row['val_mean_dice']:.4f}, positives {row['val_positive_dice']:.4f}, "
        f"rate {row['learning_rate']:.1e}, training {row['trainable_groups']}",
        err=True,
    )
