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


class RecordsWithShare(click.ParamType[tuple[Path, float | None]]):
    """A path, or `PATH=SHARE` with its share of an epoch; gives both, None where there is none."""

    name = "path[=share]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Path, float | None]:
        """Split the text. What follows the last `=` is a share where it is a number."""
        path, equals, share = str(value).rpartition("=")
        try:
            return (Path(path), float(share)) if equals else (Path(share), None)
        except ValueError:
            return Path(str(value)), None


def _host_and_port(ctx: click.Context, param: click.Parameter, address: str | None) -> str | None:
    """The address itself. Raises BadParameter where it has no host or no port."""
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise click.BadParameter(f"{address!r} is not HOST:PORT, as 10.0.0.1:1234", ctx, param)
    return address


def _first_and_further(
    ctx: click.Context, param: click.Parameter, found: tuple[tuple[Path, float | None], ...]
) -> tuple[Path, list[tuple[Path, float]]]:
    """The records as they were named. Raises BadParameter unless the first alone has no share."""
    (first, its_share), *rest = found
    further = [(path, share) for path, share in rest if share is not None]
    if its_share is not None or len(further) < len(rest):
        raise click.BadParameter(
            "the first is to be a path, which has the fold held out and what the others leave of "
            "an epoch; each further one PATH=SHARE, as phantoms=0.2",
            ctx,
            param,
        )
    return first, further


@click.command()
@options.config
@click.option(
    "--records",
    type=RecordsWithShare(),
    multiple=True,
    default=["records"],
    show_default=True,
    callback=_first_and_further,
    help="What to train on. The first has the fold held out, each further one a share of an epoch.",
)
@click.option("--run", type=Path, default=Path("runs"), show_default=True)
@click.option(
    "--start-from",
    "pretrained",
    type=Path,
    help="Another run, as of pretraining on other records, whose network stage 1 starts from.",
)
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
    "processes, on Keras's JAX backend; auto: one device, on TensorFlow, or all of JAX with "
    "KERAS_BACKEND=jax.",
)
@click.option(
    "--coordinator-address",
    metavar="HOST:PORT",
    envvar="JAX_COORDINATOR_ADDRESS",
    callback=_host_and_port,
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
    records: tuple[Path, list[tuple[Path, float]]],
    run: Path,
    pretrained: Path | None,
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

    All folds of further records, as pseudo-labelled or generated ones, are trained on, but for the
    images and patients that are held out of the first. They make an epoch longer: a share of 0.5
    doubles it. Of a run to --start-from the latest stage counts, of the same fold or the only one,
    with the encoder, decoder and heads of the config. It is refused where the same records tell
    that it saw what is held out; that other records hold no patient of these is yours to see to.

      tfptx fit --config configs/resnet34.toml --stage 1 --set stage.1.batch_size=8

      tfptx fit --config configs/resnet34.toml --stage 2 --fold all

      tfptx fit --config configs/resnet34.toml --stage 1 --find-rate

      tfptx fit --stage 1 --records records --records pseudo=0.3 --records phantoms=0.1

      tfptx fit --stage 1 --records records --run tuned --start-from pretrained

      tfptx fit --config configs/resnet34.toml --stage 1 --devices gpu
    """
    from tfptx import config  # noqa: PLC0415 - pydantic takes a while to import

    if steps and not find_rate:
        raise click.UsageError("--steps are those of --find-rate; leave them out")
    if find_rate and overwrite:
        raise click.UsageError("--find-rate fits nothing; leave --overwrite out")
    one_fold = options.fold_number(fold)
    if find_rate and one_fold is None:
        raise click.UsageError("--find-rate is of one fold; name its number")
    if find_rate and devices != "auto":
        raise click.UsageError("--find-rate has one device, on TensorFlow; leave --devices out")
    of_cluster = options.named("coordinator_address", "num_processes", "process_id")
    if devices != "multi-worker" and of_cluster:
        raise click.UsageError(
            f"{of_cluster} is of --devices multi-worker; add that, or leave it out"
        )
    study = config.read(config_toml, overrides)
    if devices != "auto":
        backend.take_jax()
    import_tensorflow(any_backend=not find_rate)
    from tfptx.pipeline.material import Further, Material  # noqa: PLC0415 - TensorFlow takes seconds
    from tfptx.studies import cross_validation  # noqa: PLC0415 - so does this

    first = records[0]
    further = tuple(Further(path, share) for path, share in records[1])
    folds = cross_validation.all_folds(first) if one_fold is None else [one_fold]
    if find_rate:
        material = Material(first, folds[0], further)
        _find_rate(study, material, run, stage, steps or DEFAULT_STEPS, pretrained)
        return
    with _found(devices, coordinator_address, num_processes, process_id) as found:
        is_first = found.processes.is_first
        folders = cross_validation.fit_folds(
            study,
            first,
            further,
            run,
            folds,
            stage,
            progress if is_first else _unseen,
            announce if is_first else lambda row: None,
            overwrite,
            found,
            pretrained,
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

    click.echo("waiting for the other processes of this fit", err=True)
    with joined(Cluster(*cluster)) as processes:
        yield devices.found("auto", processes)


@contextlib.contextmanager
def _unseen(title: str) -> Iterator[Any]:
    """Show no progress: the first process does."""
    yield lambda share: None


def _find_rate(
    study: Any, material: Any, run: Path, stage: str, steps: int, pretrained: Path | None
) -> None:
    from tfptx.studies import rate_range  # noqa: PLC0415 - TensorFlow takes seconds to import

    with progress("range test") as advance:
        found = rate_range.find(study, material, run, stage, steps, advance, pretrained)
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
