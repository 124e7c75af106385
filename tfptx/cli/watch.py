"""This holds the command `tfptx watch`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfptx.cli import output
from tfptx.cli.options import FiniteRange
from tfptx.cli.predict import generate_uids, import_what_asks, model, segmentations, take

if TYPE_CHECKING:
    from tfptx.scans.radiograph import Take


@click.command()
@click.argument("folder", type=Path, metavar="DIR")
@model
@click.option("--out", type=Path, required=True, help="Holds outbox/ and quarantine/.")
@take
@segmentations
@generate_uids
@click.option(
    "--settle-seconds",
    type=FiniteRange(min=0),
    default=10.0,
    show_default=True,
    help="How long a file stays as it is before it counts as whole.",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--once", is_flag=True, help="End when no file is left, instead of waiting for more.")
def command(
    folder: Path,
    model: str,
    out: Path,
    take: "Take",
    segmentations: bool,
    generate_uids: bool,
    settle_seconds: float,
    batch_size: int,
    once: bool,
) -> None:
    """Predict radiographs as they arrive in a folder, each once.

    A result appears as a whole in OUT/outbox/<SOP Instance UID>/: result.json, overlay.png, the
    radiograph as source.dcm (.png, .jpg), and segmentation.dcm where --segmentations asks for it.
    What is no frontal chest radiograph, can't be read, has another image's UID or alone gets no
    answer of the model goes to OUT/quarantine/<checksum>/ with reason.json.

    No file is lost or predicted twice when the command is stopped or killed and run again: taken
    files lie in OUT/claimed until they are done. A file at which the process ended three times is
    quarantined. While the model or the disk fails, files wait; one that may not be moved stays.
    What OUT/done knows is not predicted again, with another model neither. The lines that are
    printed name files by their checksums alone: no patient, no UID, no file name.

      tfptx watch incoming --model export --out triage
    """
    if generate_uids and not segmentations:
        raise click.UsageError("--generate-uids is for --segmentations")
    output.refuse_unwritable(out)
    import_what_asks(model)
    from tfptx.serving import predictor, watch  # noqa: PLC0415 - slow to import

    options = predictor.Options(take, segmentations, generate_uids)
    pace = watch.Pace(settle_seconds, batch_size=batch_size, once=once)
    watch.watch(model, folder, out, _announce, options, pace)


def _announce(event: str) -> None:
    click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {event}")
