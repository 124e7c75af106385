"""This holds the command `tfptx export`."""

from pathlib import Path

import click

from tfptx.cli import options, output
from tfptx.cli.quiet import import_tensorflow


@click.command()
@options.runs
@click.option("--point", type=Path, required=True, help="point.json, as sweep writes it.")
@click.option("--study", type=Path, help="Its assessments of the point go into the model card.")
@click.option("--out", type=Path, required=True, help="Folder of versions; this makes the next.")
@click.option("--any-point", is_flag=True, help="Take a point of other networks' maps too.")
@click.option(
    "--xla",
    is_flag=True,
    help="Compile the networks; a server then needs the flag that the files of serving/ have, and "
    "masks may differ from the maps' at single pixels.",
)
def command(
    runs: tuple[Path, ...], point: Path, study: Path | None, out: Path, any_point: bool, xla: bool
) -> None:
    """Write networks and operating point as a SavedModel that TensorFlow alone can serve.

    It takes encoded JPEG or PNG files of any size and gives masks, probabilities and findings. All
    folds of a run are averaged; a point that was not chosen on their maps is refused. OUT/serving
    gets what starts TensorFlow Serving with it, and a smoke test.

      tfptx export --run runs --point study/joint/point.json --out export
    """
    output.refuse_unwritable(out)
    import_tensorflow()
    from tfptx.operating_point import tables  # noqa: PLC0415 - pandas is slow to import too
    from tfptx.serving import export  # noqa: PLC0415 - TensorFlow takes seconds to import
    from tfptx.studies import assessments  # noqa: PLC0415 - imports matplotlib

    chosen = tables.read_point(point)
    judged = [] if study is None else assessments.judgements(study, chosen)
    click.echo(export.export(runs, chosen, out, any_point, xla, judged))
