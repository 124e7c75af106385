"""This holds the command `tfptx report`."""

from pathlib import Path

import click

from tfptx.cli import output


@click.command()
@click.argument("study", type=Path)
@click.option(
    "--run",
    "runs",
    type=Path,
    multiple=True,
    help="A run folder whose training is shown; may be given more than once.",
)
def command(study: Path, runs: tuple[Path, ...]) -> None:
    """Write STUDY/report.html, one page that needs neither network nor other files.

    It shows the sweeps of STUDY, its backbones, the training of the runs, and the best and worst
    cases of the maps, which are looked for where the sweep found them. Called again, the page is
    made anew; what is missing is said on it.

      tfptx report study --run runs
    """
    from tfptx.studies.report import page  # noqa: PLC0415 - imports pandas and matplotlib

    output.refuse_unwritable(study, "STUDY")
    click.echo(page.write(study, runs))
