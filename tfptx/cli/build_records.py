"""This holds the command `tfptx build-records`."""

from pathlib import Path

import click

from tfptx.cli import options, output
from tfptx.cli.beam import import_beam
from tfptx.cli.options import FiniteRange
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@click.option("--images", type=Path, required=True, help="Folder of DICOM, PNG or JPEG files.")
@click.option(
    "--annotations",
    type=Path,
    help="csv of ImageId, EncodedPixels, or a folder of PNG masks; none: unlabelled.",
)
@click.option(
    "--soft-masks",
    is_flag=True,
    help="The folder's masks are probabilities: 8-bit grey, 255 for 1.",
)
@click.option("--strict", is_flag=True, help="Stop at the first mask with a fault or oddity.")
@click.option("--groups", type=Path, help="csv of image id and patient, to keep patients together.")
@click.option("--out", type=Path, default=Path("records"), show_default=True)
@click.option(
    "--folds-from", "folds_csv", type=Path, help="csv of image id and fold, in place of a draw."
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--test-share", type=FiniteRange(0, 0.9), default=0.0, show_default=True)
@click.option(
    "--mask-size", type=click.IntRange(min=1), help="Side of the masks, if not the image's."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@options.workers
@options.runner
@click.option("--overwrite", is_flag=True, help="Replace records that stand at --out.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def command(
    images: Path,
    annotations: Path | None,
    soft_masks: bool,
    strict: bool,
    groups: Path | None,
    out: Path,
    folds_csv: Path | None,
    folds: int,
    test_share: float,
    mask_size: int | None,
    seed: int,
    workers: int,
    runner: str,
    overwrite: bool,
    beam_options: tuple[str, ...],
) -> None:
    """Turn scans and masks into sharded TFRecords.

    Files may lie at any depth; an image's id is its file's stem. What can't be used is left out and
    listed in skipped.csv, with the line of the csv where a mask is at fault. The folder appears
    whole or not at all; a build that was cut off, by a full disk or a kill, goes on when it is run
    again. Its work lies in OUT.partial meanwhile.

    Folds are drawn by patient; they are alike in empty, small, medium and large masks, and images
    with equal pixels share one. --folds-from takes the folds of a csv, as image_id and fold of
    another examples.csv, and tells what they leak.

    Of soft masks, as pseudo-label makes them, a fit takes the probabilities as its truth. All else,
    as folds, validation and scores, takes the hard mask: the pixels of at least 0.5, grey 128.

      tfptx build-records --images dicom-images-train --annotations train-rle.csv --out records
    """
    if beam_options and runner != "beam":
        raise click.UsageError(
            f"got {beam_options[0]!r}, which only --runner beam takes, as an option of Beam's"
        )
    if runner == "beam" and options.named("workers"):
        raise click.UsageError("Beam's own options say how many workers; leave --workers out")
    import_tensorflow()
    from tfptx.records import build, manifest, workplace  # noqa: PLC0415 - TensorFlow takes seconds

    if folds_csv is not None:
        _refuse_draw()
    workplace.remove_finished(out)
    output.check(out, overwrite, manifest.NAME, (images, annotations, groups, folds_csv))
    settings = build.Options(
        folds, test_share, seed, mask_size, workers, folds_csv, strict, soft_masks
    )
    with progress("build records") as advance:
        if runner == "beam":
            beam = import_beam("tfptx.records.beam")
            result = beam.build(images, annotations, groups, out, settings, beam_options, advance)
        else:
            result = build.build(images, annotations, groups, out, settings, advance)
    counts = ", ".join(
        f"{result.count(kind)} {kind}" for kind in manifest.KINDS if result.count(kind)
    )
    click.echo(f"{out}: {counts} in {len(result.shards)} shards")
    if result.skipped:
        click.echo(f"{result.skipped} left out, see {out / manifest.SKIPPED}")
    if result.annotated_without_image:
        click.echo(f"{result.annotated_without_image} annotated ids have no image")
    if soft_masks and not result.count("positive"):
        click.echo("no soft mask reaches grey 128; if they are of 0 and 1, leave --soft-masks out")
    _tell(out)


def _refuse_draw() -> None:
    """Raise UsageError where options of the draw stand beside folds that are given."""
    if option := options.named("folds", "test_share"):
        raise click.UsageError(f"--folds-from gives the folds; leave {option} out")


def _tell(records: Path) -> None:
    """Print what is worth a look: annotations with notes, equal images and leaks."""
    from tfptx.records import balance, manifest  # noqa: PLC0415 - pandas

    examples = manifest.read_examples(records)
    notes = examples["annotation_note"]
    notes = notes[notes != ""]
    if len(notes):
        where = f"{records / manifest.EXAMPLES}"
        click.echo(f"{len(notes)} annotations have a note in {where}, first: {notes.iloc[0]}")
    leaks = balance.leaks(examples)
    if leaks["equal_images"]:
        click.echo(f"{leaks['equal_images']} images have the pixels of another one")
    if leaks["patients_in_several_folds"] or leaks["equal_images_in_several_folds"]:
        click.echo(
            f"leaks: {leaks['patients_in_several_folds']} patients and "
            f"{leaks['equal_images_in_several_folds']} equal images stand in several folds"
        )
