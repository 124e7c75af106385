"""This holds the command `tfptx build-records`."""

import os
from pathlib import Path

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
@click.option("--overwrite", is_flag=True, help="Replace records that stand at --out.")
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
    overwrite: bool,
) -> None:
    """Turn scans and run-length masks into sharded TFRecords.

    Files may lie at any depth; an image's id is its file's stem. What can't be used is left out and
    listed in skipped.csv. The folder appears whole or not at all.

      tfptx build-records --images dicom-images-train --annotations train-rle.csv --out records
    """
    import_tensorflow()
    from tfptx.records import build, manifest  # noqa: PLC0415 - TensorFlow takes seconds to import

    output.check(out, overwrite, manifest.NAME, (images, annotations, groups))
    options = build.Options(folds, test_share, seed, mask_size, workers)
    with progress("build records") as advance:
        result = build.build(images, annotations, groups, out, options, advance)
    counts = ", ".join(
        f"{result.count(kind)} {kind}" for kind in manifest.KINDS if result.count(kind)
    )
    click.echo(f"{out}: {counts} in {len(result.shards)} shards")
    if result.skipped:
        click.echo(f"{result.skipped} left out, see {out / manifest.SKIPPED}")
    if result.annotated_without_image:
        click.echo(f"{result.annotated_without_image} annotated ids have no image")
