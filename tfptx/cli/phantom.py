"""This holds the command `tfptx phantom`."""

from pathlib import Path

import click

from tfptx.cli import options, output
from tfptx.cli.options import FiniteRange
from tfptx.cli.progress import progress


@click.command()
@click.option("--out", type=Path, required=True, help="Folder to write.")
@click.option("--count", type=click.IntRange(min=1), required=True, help="Number of images.")
@click.option(
    "--size", type=click.IntRange(16, 4096), default=1024, show_default=True, help="Side in pixels."
)
@click.option(
    "--prevalence",
    type=FiniteRange(0, 1),
    default=0.22,
    show_default=True,
    help="Share of images with a pneumothorax.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@options.workers
@click.option("--overwrite", is_flag=True, help="Replace what stands at --out.")
def command(
    out: Path,
    count: int,
    size: int,
    prevalence: float,
    seed: int,
    workers: int,
    overwrite: bool,
) -> None:
    """Draw chest radiographs with known truth, as DICOM, for tests, demos and practice.

    Writes dicom-images-train, train-rle.csv and patients.csv in the competition's form; the folder
    appears whole or not at all, and a seed gives the same bytes again. They are no patients: what
    a network learns on them says nothing of real radiographs.

      tfptx phantom --out phantoms --count 360 --size 256 --prevalence 0.3
    """
    from tfptx.scans.phantom import dataset  # noqa: PLC0415 - the other commands' help is fast

    output.check(out, overwrite, dataset.ANNOTATIONS)
    settings = dataset.Options(count, size, prevalence, seed, workers)
    with progress("draw phantoms") as advance:
        rows = dataset.write(out, settings, advance)
    num_positive = sum(row.mask_px > 0 for row in rows)
    num_patients = len({row.patient_id for row in rows})
    click.echo(f"{out}: {len(rows)} images of {num_patients} patients, {num_positive} positive")
