"""This holds the command `tfptx predict-maps`."""

from pathlib import Path

import click

from tfptx.cli import options, output
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow

WINDOW_OVERLAP = 0.5  # of a side, unless told


@click.command()
@options.runs
@options.records
@click.option("--fold", help="A fold's number, or test; none: every fold that the runs have.")
@click.option("--out", type=Path, required=True)
@click.option("--flip", is_flag=True, help="Average over the mirrored image too.")
@click.option(
    "--fused", is_flag=True, help="Average over the signed distance too; needs that head."
)
@click.option(
    "--windows",
    is_flag=True,
    help="Predict images larger than the networks' size in windows, in place of shrinking them.",
)
@click.option(
    "--overlap",
    type=options.FiniteRange(0, 0.9),
    help="What neighbouring windows share of their side.  [default: 0.5]",
)
@click.option(
    "--stage",
    type=click.Choice(["1", "2"]),
    help="The stage of the fit; none: the latest that has finished.",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--unseen", is_flag=True, help="The runs were fitted on none of these images.")
@click.option(
    "--counts-only",
    is_flag=True,
    help="Keep 80 KB of counts an image in place of its map: all that sweeps of pairs and triplets "
    "need.",
)
@click.option("--overwrite", is_flag=True, help="Replace maps that stand at --out.")
def command(
    runs: tuple[Path, ...],
    records: Path,
    fold: str | None,
    out: Path,
    flip: bool,
    fused: bool,
    windows: bool,
    overlap: float | None,
    stage: str | None,
    batch_size: int,
    unseen: bool,
    counts_only: bool,
    overwrite: bool,
) -> None:
    """Write the probability maps of records, which sweep and evaluate read.

    A fold's maps come from the networks that held it out, the test share's (--fold test) from the
    average of all folds' networks. So do those of --unseen records, as of another hospital.

      tfptx predict-maps --run runs --records records --out maps --flip
    """
    import_tensorflow()
    from tfptx.inference import predict  # noqa: PLC0415 - TensorFlow takes seconds to import
    from tfptx.inference.networks import Manner  # noqa: PLC0415
    from tfptx.operating_point import maps  # noqa: PLC0415 - pandas takes a while to import

    output.check(out, overwrite, maps.NAME, (*runs, records))
    with progress("predict maps") as advance:
        result = predict.predict_maps(
            list(runs),
            records,
            fold=_number(fold),
            out=out,
            manner=Manner(flip, fused, _overlap(windows, overlap)),
            advance=advance,
            stage=stage,
            batch_size=batch_size,
            unseen=unseen,
            counts_only=counts_only,
        )
    num_networks = len(result.source["runs"])
    plural = "" if num_networks == 1 else "s"
    click.echo(
        f"{out}: maps of {len(result)} images by {num_networks} network{plural}, stage "
        f"{result.source['stage']} at {result.source['size_px']} px"
    )


def _number(fold: str | None) -> int | None:
    if fold is None:
        return None
    from tfptx.scans.folds import TEST  # noqa: PLC0415 - pandas takes a while to import

    if fold == "test":
        return TEST
    if not fold.isdecimal():
        raise click.UsageError(f"--fold is a number or test, got {fold!r}")
    return int(fold)


def _overlap(windows: bool, overlap: float | None) -> float | None:
    """What windows share, None without any. Raises UsageError for an overlap of none."""
    if overlap is not None and not windows:
        raise click.UsageError("--overlap is that of --windows; add it")
    return (WINDOW_OVERLAP if overlap is None else overlap) if windows else None
