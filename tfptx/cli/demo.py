"""This holds the command `tfptx demo`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click

from tfptx.cli import options, output
from tfptx.cli.backbones import echo_study
from tfptx.cli.figures import ALL_EMPTY, Line, echo_table, line_of
from tfptx.cli.fit import announce
from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@click.option("--out", type=Path, default=Path("demo"), show_default=True)
@options.workers
@click.option(
    "--compare",
    is_flag=True,
    help="Add the paper's three experiments, of two backbones; takes three times as long.",
)
def command(out: Path, workers: int, compare: bool) -> None:
    """Show the whole method on generated radiographs, in some ten minutes on two cores.

    Draws phantoms, builds records, fits both stages, predicts maps, sweeps threshold and pair,
    writes the report, exports and predicts DICOMs with the export. It needs no data and no network,
    gives the same numbers each time, and goes on where it was cut off.

      tfptx demo --out demo

      tfptx demo --out demo --compare
    """
    output.refuse_unwritable(out)
    import_tensorflow()
    from tfptx.studies import demo  # noqa: PLC0415 - TensorFlow takes seconds to import

    found = demo.run(out, workers, _show, announce, compare)
    click.echo("\nvalidation fold, where the points were chosen")
    chosen = [Line(swept.point.label, swept.figures) for swept in found.chosen.values()]
    echo_table([Line(ALL_EMPTY, found.chosen["joint"].all_empty), *chosen])
    click.echo("\ntest share, that nothing was fitted to or chosen on")
    judged = [
        line_of(found.chosen[kind].point.label, result.figures)
        for kind, result in found.judged.items()
    ]
    echo_table([Line(ALL_EMPTY, found.judged["joint"].all_empty), *judged])
    click.echo(f"\nreport    {found.report}")
    click.echo(f"export    {found.export}")
    click.echo(f"overlays  {found.overlays}")
    if found.study is not None:
        click.echo("\nthe three experiments")
        echo_study(found.study)


def _show(task: str) -> AbstractContextManager[Callable[[float], None]]:
    """Name a step, so that a log has it too, and show its progress."""
    click.echo(f"{task} ...", err=True)
    return progress(task)
