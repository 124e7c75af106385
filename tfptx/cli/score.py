"""This holds the command `tfptx score`."""

from pathlib import Path

import click

from tfptx.cli.figures import ALL_EMPTY, echo_json, echo_table


@click.command()
@click.argument("predictions", type=Path)
@click.argument("truth", type=Path)
@click.option(
    "--size-px", type=click.IntRange(min=1), default=1024, show_default=True, help="Masks' side."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(predictions: Path, truth: Path, size_px: int, as_json: bool) -> None:
    """Score PREDICTIONS against TRUTH, both csv of ImageId, EncodedPixels, by mean Dice.

    Scored are the images that are in both files.

      tfptx score predictions.csv train-rle.csv
    """
    from tfptx.operating_point import submissions  # noqa: PLC0415 - imports pandas

    found = submissions.score(predictions, truth, size_px)
    if as_json:
        echo_json(
            found.figures
            | {
                "all_empty_dice": found.all_empty["mean_dice"],
                "num_images": found.num_images,
                "only_in_predictions": found.only_in_predictions,
                "only_in_truth": found.only_in_truth,
            }
        )
        return
    echo_table({ALL_EMPTY: found.all_empty, predictions.name: found.figures})
    click.echo(
        f"{found.num_images} images; {found.only_in_predictions} more are only in {predictions}, "
        f"{found.only_in_truth} only in {truth}"
    )
