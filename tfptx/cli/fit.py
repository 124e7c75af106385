"""This holds the command `tfptx fit`."""

import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tfptx.cli import backend, options
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow

DEFAULT_STEPS = 100


@click.command()
@options.config
@options.records
@click.option("--run", type=Path, default=Path("runs"), show_default=True)
@click.option("--stage", type=click.Choice(["1", "2"]), required=True)
@options.fold_or_all
@options.overrides
@click.option("--overwrite", is_flag=True, help="Throw away this stage's fit and begin anew.")
@click.option(
    "--find-rate",
    is_flag=True,
    help="Fit nothing: let the rate climb from batch to batch and draw the loss over it.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=20),
    help=f"The steps of --find-rate.  [default: {DEFAULT_STEPS}]",
)
@click.option(
    "--devices",
    type=click.Choice(["auto", "cpu", "gpu", "tpu", "multi-worker"]),
    default="auto",
    show_default=True,
    help="What batches are divided over: all devices of this kind or, multi-worker, all of several "
    "processes, on Keras's JAX backend; auto: one device, or all with KERAS_BACKEND=jax.",
)
@click.option(
    "--coordinator-address",
    metavar="HOST:PORT",
    envvar="JAX_COORDINATOR_ADDRESS",
    help="Of multi-worker: where process 0 runs, and a free port there. This and the next two "
    "may be left out under SLURM, Open MPI and Kubernetes and on TPU pods.",
)
@click.option(
    "--num-processes",
    type=click.IntRange(min=1),
    envvar="JAX_NUM_PROCESSES",
    help="Of multi-worker: how many processes fit together.",
)
@click.option(
    "--process-id",
    type=click.IntRange(min=0),
    envvar="JAX_PROCESS_ID",
    help="Of multi-worker: which of them this is, from 0.",
)
def command(
    config_toml: Path,
    records: Path,
    run: Path,
    stage: str,
    fold: str,
    overrides: tuple[str, ...],
    overwrite: bool,
    find_rate: bool,
    steps: int | None,
    devices: str,
    coordinator_address: str | None,
    num_processes: int | None,
    process_id: int | None,
) -> None:
    """Fit one stage of a study on all folds but one.

    Stage 2 starts from the best weights of stage 1. A fit that was cut off goes on where its state
    was last kept: after each epoch, every checkpoint_every_steps batches of the config, and when it
    is stopped by Ctrl-C or SIGTERM. RUN/fold<K>/stage<N>/ receives the best weights, the history,
    TensorBoard logs and the resolved config.

      tfptx fit --config configs/resnet34.toml --stage 1 --set stage.1.batch_size=8

      tfptx fit --config configs/resnet34.toml --stage 2 --fold all

      tfptx fit --config configs/resnet34.toml --stage 1 --find-rate

      tfptx fit --config configs/resnet34.toml --stage 1 --devices gpu
    """
    from tfptx import config  # noqa: PLC0415 - pydantic takes a while to import

    if steps and not find_rate:
        raise click.UsageError("--steps are those of --find-rate; leave them out")
    if find_rate and overwrite:
        raise click.UsageError("--find-rate fits nothing; leave --overwrite out")
    one_fold = options.fold_number(fold)
    if find_rate and devices != "auto":
        raise click.UsageError("--find-rate takes one device; leave --devices out")
    study = config.read(config_toml, overrides)
    if find_rate:
        if one_fold is None:
            raise click.UsageError("--find-rate is of one fold; name its number")
        _find_rate(study, records, run, one_fold, stage, steps or DEFAULT_STEPS)
        return
    if devices != "auto":
        backend.take_jax()
    import_tensorflow()
    from tfptx.studies import cross_validation  # noqa: PLC0415 - TensorFlow takes seconds

    folds = cross_validation.all_folds(records) if one_fold is None else [one_fold]
    with _found(devices, coordinator_address, num_processes, process_id) as found:
        is_first = found.processes.is_first
        folders = cross_validation.fit_folds(
            study,
            records,
            run,
            folds,
            stage,
            progress if is_first else _unseen,
            announce if is_first else lambda row: None,
            overwrite,
            found,
        )
        if is_first:
            _report(folders)


def announce(row: dict[str, Any]) -> None:
    """Tell of a finished epoch on stderr."""
    click.echo(
        f"epoch {row['epoch']}: loss {row['loss']:.4f}, validation loss {row['val_loss']:.4f}, "
        f"mean Dice {row['val_mean_dice']:.4f}, positives {row['val_positive_dice']:.4f}, "
        f"rate {row['learning_rate']:.1e}, training {row['trainable_groups']}",
        err=True,
    )


@contextlib.contextmanager
def _found(kind: Any, *cluster: Any) -> Iterator[Any]:
    """The devices of a kind, joined with those of other processes while the block runs."""
    from tfptx.training import devices  # noqa: PLC0415 - TensorFlow takes seconds to import

    if kind != "multi-worker":
        yield devices.found(kind)
        return
    from tfptx.training.cluster import Cluster, joined  # noqa: PLC0415 - as above

    with joined(Cluster(*cluster)) as processes:
        yield devices.found("auto", processes)


@contextlib.contextmanager
def _unseen(title: str) -> Iterator[Any]:
    """Show no progress: the first process does."""
    yield lambda share: None


def _find_rate(study: Any, records: Path, run: Path, fold: int, stage: str, steps: int) -> None:
    import_tensorflow()
    from tfptx.studies import rate_range  # noqa: PLC0415 - TensorFlow takes seconds to import

    with progress("range test") as advance:
        found = rate_range.find(study, records, run, fold, stage, steps, advance)
    click.echo(
        f"{found.picture}: the loss falls fastest at a rate of {found.steepest:.1e} and is "
        f"smallest at {found.at_smallest_loss:.1e}; "
        f"try --set stage.{stage}.rate.largest={found.steepest:.1e}"
    )


def _report(folders: list[Any]) -> None:
    from tfptx import runs  # noqa: PLC0415 - pandas takes a while to import

    results = [runs.read_result(folder) for folder in folders]
    for folder, result in zip(folders, results, strict=True):
        averaged = ", ".join(map(str, result["averaged_epochs"]))
        positive = result["positive_dice"]
        on_positives = "no positive" if positive is None else f"positives {positive:.4f}"
        best = f"average of epochs {averaged}" if averaged else f"best epoch {result['epoch']}"
        click.echo(
            f"{folder.path}: {best} of {result['epochs']}, "
            f"validation mean Dice {result['mean_dice']:.4f} "
            f"({on_positives}) at threshold {result['threshold']:.2f} and "
            f"{result['min_pixels']:.0f} px"
        )
    if len(results) > 1:
        scores = [result["mean_dice"] for result in results]
        click.echo(
            f"{len(results)} folds: validation mean Dice {statistics.mean(scores):.4f}, standard "
            f"deviation {statistics.stdev(scores):.4f}, each at its own best cell"
        )
