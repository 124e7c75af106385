"""This holds the command `tfptx report`."""

from pathlib import Path

import click

from tfptx.cli import output
from tfptx.cli.progress import progress


@click.command()
@click.argument("study", type=Path)
@click.option(
    "--run",
    "runs",
    type=Path,
    multiple=True,
    help="A run folder whose training is shown; may be given more than once.",
)
@click.option(
    "--maps",
    type=Path,
    multiple=True,
    help="Maps that no point was chosen on, which judge the points; several are taken as one.",
)
def command(study: Path, runs: tuple[Path, ...], maps: tuple[Path, ...]) -> None:
    """Write STUDY/report.html, one page that needs neither network nor other files.

    It shows the sweeps of STUDY with an explorer of their points, its backbones, the training of
    the runs, and reliability, subgroups, best and worst cases on the maps: those of --maps or of
    an assessment in STUDY, else those of the sweeps, where these found them. STUDY may be a run.
    Called again, the page is made anew; what is missing is said on it. STUDY/figures and
    STUDY/tables receive its figures as PNG and SVG, its tables as csv and LaTeX.

      tfptx report study --run runs

      tfptx report study --run runs --maps maps-test
    """
    from tfptx.studies.report import page  # noqa: PLC0415 - imports pandas and matplotlib

    output.refuse_unwritable(study, "STUDY")
    with progress("report") as advance:
        written = page.write(study, runs, maps, advance)
    click.echo(written)
