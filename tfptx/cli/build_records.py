"""This holds the command `tfptx build-records`."""

import importlib
import os
from pathlib import Path
from types import ModuleType

import click

from tfptx.cli import output
from tfptx.cli.options import FiniteRange
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@click.option("--images", type=Path, required=True, help="Folder of DICOM, PNG or JPEG files.")
@click.option("--annotations", type=Path, help="csv of ImageId, EncodedPixels; none: unlabelled.")
@click.option("--groups", type=Path, help="csv of image id and patient, to keep patients together.")
@click.option("--out", type=Path, default=Path("records"), show_default=True)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--test-share", type=FiniteRange(0, 0.9), default=0.0, show_default=True)
@click.option(
    "--mask-size", type=click.IntRange(min=1), help="Side of the masks, if not the image's."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count, show_default="cores")
@click.option(
    "--runner",
    type=click.Choice(["local", "beam"]),
    default="local",
    show_default=True,
    help="beam: by Apache Beam, whose own options follow --.",
)
@click.option("--overwrite", is_flag=True, help="Replace records that stand at --out.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def command(
    images: Path,
    annotations: Path | None,
    groups: Path | None,
    out: Path,
    folds: int,
    test_share: float,
    mask_size: int | None,
    seed: int,
    workers: int,
    runner: str,
    overwrite: bool,
    beam_options: tuple[str, ...],
) -> None:
    """Turn scans and run-length masks into sharded TFRecords.

    Files may lie at any depth; an image's id is its file's stem. What can't be used is left out and
    listed in skipped.csv. The folder appears whole or not at all; a build that was cut off, by a
    full disk or a kill, goes on when it is run again. Its work lies in OUT.partial meanwhile.

      tfptx build-records --images dicom-images-train --annotations train-rle.csv --out records
    """
    if beam_options and runner != "beam":
        raise click.UsageError(f"{beam_options[0]!r} is an option of Beam; add --runner beam")
    import_tensorflow()
    from tfptx.records import build, manifest  # noqa: PLC0415 - TensorFlow takes seconds to import

    output.check(out, overwrite, manifest.NAME, (images, annotations, groups))
    options = build.Options(folds, test_share, seed, mask_size, workers)
    with progress("build records") as advance:
        if runner == "beam":
            beam = _import_beam()
            result = beam.build(images, annotations, groups, out, options, beam_options, advance)
        else:
            result = build.build(images, annotations, groups, out, options, advance)
    counts = ", ".join(
        f"{result.count(kind)} {kind}" for kind in manifest.KINDS if result.count(kind)
    )
    click.echo(f"{out}: {counts} in {len(result.shards)} shards")
    if result.skipped:
        click.echo(f"{result.skipped} left out, see {out / manifest.SKIPPED}")
    if result.annotated_without_image:
        click.echo(f"{result.annotated_without_image} annotated ids have no image")


def _import_beam() -> ModuleType:
    """The build by Beam. Raises ValueError where Beam is not installed."""
    try:
        return importlib.import_module("tfptx.records.beam")
    except ModuleNotFoundError as error:
        raise ValueError(
            f"--runner beam needs a package that is missing ({error}); pip install 'tfptx[beam]'"
        ) from error
