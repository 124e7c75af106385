"""This holds the command `tfptx predict`."""

from pathlib import Path

import click

from tfptx.cli import output
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@click.option(
    "--model",
    required=True,
    help="An export, one version of it, or a server of it: http://HOST:8501 or grpc://HOST:8500, "
    "and /NAME/VERSION where these are not tfptx and the latest.",
)
@click.option("--out", type=Path, required=True)
@click.option("--batch-size", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace predictions that stand at --out.")
@click.argument("inputs", type=Path, nargs=-1, required=True, metavar="FILE_OR_DIR...")
def command(
    model: str, out: Path, batch_size: int, overwrite: bool, inputs: tuple[Path, ...]
) -> None:
    """Find and outline pneumothorax in DICOM, PNG or JPEG files with an export.

    Writes predictions.csv in the competition's form, findings.csv and overlays/<image>.png. What
    can't be read is listed with its reason in findings.csv.

      tfptx predict --model export --out predictions scans/

      tfptx predict --model "grpc://localhost:8500?requests=8" --out predictions scans/
    """
    import_tensorflow()
    from tfptx.serving import address, findings, predictor  # noqa: PLC0415 - slow to import

    folder = None if address.is_address(model) else Path(model)
    output.check(out, overwrite, predictor.PREDICTIONS, (folder, *inputs))
    with progress("predict") as advance:
        found = predictor.predict(model, inputs, out, advance, batch_size)
    num_positive = sum(bool(finding.decision) for finding in found)
    num_unread = sum(bool(finding.error) for finding in found)
    click.echo(f"{out}: {num_positive} of {len(found) - num_unread} images with a pneumothorax")
    if num_unread:
        plural = "" if num_unread == 1 else "s"
        click.echo(f"{num_unread} file{plural} can't be read, see {out / findings.NAME}", err=True)
