"""This holds the command `tfptx pseudo-label`."""

from pathlib import Path
from typing import Any

import click

from tfptx.cli import output
from tfptx.cli.progress import progress


class LowAndHigh(click.ParamType[tuple[float, float]]):
    """`LOW:HIGH`, two numbers."""

    name = "low:high"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Split the text. Fails, as wrong usage, where it is not two numbers."""
        low, _, high = str(value).partition(":")
        try:
            return float(low), float(high)
        except ValueError:
            self.fail(f"{value!r} is not LOW:HIGH, as 0.1:0.9", param, ctx)


@click.command()
@click.argument("maps", type=Path)
@click.option("--out", type=Path, required=True)
@click.option("--point", "path", type=Path, help="Operating point of a sweep: hard masks by it.")
@click.option("--soft", is_flag=True, help="Grey masks: the probabilities, 255 for 1.")
@click.option(
    "--certain",
    type=LowAndHigh(),
    help="Write only masks that are sure: with pixels where the largest probability is at least "
    "HIGH, empty ones where it is below LOW. The other images will be in no records.",
)
@click.option("--overwrite", is_flag=True, help="Replace masks that stand at --out.")
def command(
    maps: Path,
    out: Path,
    path: Path | None,
    soft: bool,
    certain: tuple[float, float] | None,
    overwrite: bool,
) -> None:
    """Make PNG masks of the probability maps of unlabelled images, to fit a network to.

    Hard masks are those of the operating point, soft ones keep the probabilities. A pixel of a soft
    one is inside from 0.5 on wherever a fit has to know: for an image's kind, positive or negative,
    by which batches are balanced, and for the Lovasz, presence and distance losses. No rule for
    empty masks is asked there: one such pixel makes an image positive, so --certain is worth a try.

    The whole way, where other/ holds the unlabelled images:

      tfptx build-records --images other --out unlabelled
      tfptx predict-maps --run runs --records unlabelled --unseen --out maps-other
      tfptx pseudo-label maps-other --soft --certain 0.1:0.9 --out masks
      tfptx build-records --images other --annotations masks --soft-masks --out pseudo
      tfptx fit --stage 1 --run student --records records --records pseudo=0.3

    The maps come from networks of all folds, which have seen the fold that the student holds out:
    judge it by a test share. Patients of both records must have the same ids (--groups).
    """
    if (path is not None) == soft:
        raise click.UsageError("masks are made by --point POINT.json or are --soft; name one")
    from tfptx.operating_point import pseudo_labels, tables  # noqa: PLC0415 - imports pandas

    output.check(out, overwrite, pseudo_labels.NAME, (maps, path))
    how = None if path is None else tables.read_point(path).rule
    certainty = None if certain is None else pseudo_labels.Certainty(*certain)
    with progress("pseudo-label") as advance:
        found = pseudo_labels.write(maps, out, how, certainty, advance)
    click.echo(f"{out}: {found.num_positive} positive and {found.num_negative} negative masks")
    if found.left_out:
        where = out / pseudo_labels.NAME
        click.echo(f"{len(found.left_out)} images without a sure label were left out, see {where}")
