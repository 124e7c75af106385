"""This holds the command `tfptx import-maps`."""

from pathlib import Path

import click

from tfptx.cli import output
from tfptx.cli.progress import progress


@click.command()
@click.argument("probabilities", type=Path)
@click.option("--truth", type=Path, required=True, help="Folder of masks, or csv of run lengths.")
@click.option("--out", type=Path, required=True)
@click.option("--groups", type=Path, help="csv of image id and patient, for honest intervals.")
@click.option("--images", type=Path, help="Folder of the radiographs, for the report's pictures.")
@click.option(
    "--fold",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The one that the network was not fitted to.",
)
@click.option(
    "--mask-size", type=click.IntRange(min=1), help="Side of a csv's masks, if not the map's."
)
@click.option("--counts-only", is_flag=True, help="Keep what sweeps need, 80 KB an image.")
@click.option("--overwrite", is_flag=True, help="Replace maps that stand at --out.")
def command(
    probabilities: Path,
    truth: Path,
    out: Path,
    groups: Path | None,
    images: Path | None,
    fold: int,
    mask_size: int | None,
    counts_only: bool,
    overwrite: bool,
) -> None:
    """Take the probability maps of any network, in PyTorch or else, for sweep and evaluate.

    PROBABILITIES is a folder of files named by image id: .npy or NIfTI (.nii, .nii.gz) with values
    from 0 to 1, or PNG of 8 or 16 bits, whose largest value stands for 1. Masks are such files too,
    0 where there is none. A map of another size than its mask is resized to it, bilinearly.

    Import each fold's maps apart and give all of them to sweep.

      tfptx import-maps predictions --truth masks --groups patients.csv --out maps
    """
    from tfptx.operating_point import map_import, maps  # noqa: PLC0415 - pandas takes a while

    output.check(out, overwrite, maps.NAME, (probabilities, truth, groups, images))
    with progress("import maps") as advance:
        result = map_import.import_maps(
            probabilities,
            truth,
            out,
            advance,
            groups=groups,
            images=images,
            fold=fold,
            mask_size_px=mask_size,
            counts_only=counts_only,
        )
    click.echo(f"{out}: maps of {len(result.maps)} images")
    if result.num_resized:
        click.echo(f"{result.num_resized} were resized to their truth")
    if result.num_without_map:
        click.echo(f"{result.num_without_map} truths have no map")
