"""This holds the command `tfptx predict`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfptx.cli import options, output
from tfptx.cli.beam import import_beam
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow

if TYPE_CHECKING:
    from tfptx.scans.radiograph import Take


model = click.option(
    "--model",
    required=True,
    help="An export, one version of it, or a server of it: http://HOST:8501 or grpc://HOST:8500, "
    "and /NAME/VERSION where these are not tfptx and the latest.",
)
take = click.option(
    "--take",
    type=click.Choice(["frontal", "chest", "radiograph"]),
    default="frontal",
    show_default=True,
    help="Which DICOMs: frontal chest radiographs, of any view, or of anything.",
)
segmentations = click.option(
    "--segmentations", is_flag=True, help="Write masks as DICOM Segmentations too."
)
generate_uids = click.option(
    "--generate-uids", is_flag=True, help="Even of DICOMs that have no valid UIDs."
)


@click.command()
@model
@click.option("--out", type=Path, required=True)
@take
@segmentations
@generate_uids
@click.option("--batch-size", type=click.IntRange(min=1), default=4, show_default=True)
@options.workers
@options.runner
@click.option("--overwrite", is_flag=True, help="Replace predictions that stand at --out.")
@click.argument("inputs", nargs=-1, required=True, metavar="FILE_OR_DIR...")
def command(
    model: str,
    out: Path,
    take: "Take",
    segmentations: bool,
    generate_uids: bool,
    batch_size: int,
    workers: int,
    runner: str,
    overwrite: bool,
    inputs: tuple[str, ...],
) -> None:
    """Find and outline pneumothorax in DICOM, PNG or JPEG files with an export.

    Folders may hold files of any kind at any depth, as DICOMs without suffix. What no tag tells to
    be a frontal chest radiograph is left out and listed in skipped.csv. Writes predictions.csv in
    the competition's form, findings.csv with areas in mm2, and overlays/<image>.png. A radiograph
    that can't be read, or alone gets no answer, is listed with its reason in findings.csv.

    The folder appears whole or not at all; a run that was cut off goes on when it is run again. Its
    work lies in OUT.partial meanwhile.

    --segmentations writes segmentations/<image>.dcm of each mask that is not empty. They refer to
    their radiographs; one whose UIDs are not valid has none, unless --generate-uids makes some up,
    by which no viewer will find its radiograph.

      tfptx predict --model export --out predictions scans/

      tfptx predict --model "grpc://localhost:8500?requests=8" --out predictions scans/
    """
    if generate_uids and not segmentations:
        raise click.UsageError("--generate-uids is for --segmentations")
    beam_options = [name for name in inputs if name.startswith("--")]
    paths = [Path(name) for name in inputs if not name.startswith("--")]
    if beam_options and runner != "beam":
        raise click.UsageError(f"{beam_options[0]!r} is an option of Beam; add --runner beam")
    if not paths:
        raise click.UsageError("name the files or folders to predict")
    import_what_asks(model)
    from tfptx.serving import (  # noqa: PLC0415 - slow to import
        address,
        findings,
        prediction_tables,
        predictor,
    )

    folder = None if address.is_address(model) else Path(model)
    output.check(out, overwrite, prediction_tables.PREDICTIONS, (folder, *paths))
    settings = predictor.Options(take, segmentations, generate_uids)
    with progress("predict") as advance:
        if runner == "beam":
            beam = import_beam("tfptx.serving.beam")
            beam.predict(model, paths, out, advance, settings, batch_size, beam_options)
        else:
            predictor.predict(model, paths, out, advance, settings, batch_size, workers, overwrite)
    counts = prediction_tables.counts(out)
    click.echo(f"{out}: {counts['positive']} of {counts['predicted']} images with a pneumothorax")
    _tell(counts["failed"], "can't be read", out / findings.NAME)
    _tell(counts["left"], "left out", out / prediction_tables.SKIPPED)
    without = counts["without_segmentation"]
    _tell(without, "with a mask but no DICOM Segmentation", out / findings.NAME)


def import_what_asks(model: str) -> None:
    """Import TensorFlow, which takes seconds, but for a server that is asked over HTTP."""
    from tfptx.serving import address  # noqa: PLC0415 - pydantic takes a while to import

    if not address.is_address(model) or address.parse(model).scheme in address.GRPC:
        import_tensorflow()


def _tell(count: int, what: str, where: Path) -> None:
    if count:
        click.echo(f"{count} file{'' if count == 1 else 's'} {what}, see {where}", err=True)
