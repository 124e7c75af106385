"""This holds the command `tfptx view`."""

from pathlib import Path
from typing import Any

import click

from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@click.argument("folders", type=Path, nargs=-1, required=True, metavar="RECORDS|MAPS...")
@click.option(
    "--point",
    type=Path,
    help="Operating point that decides on maps; else every pixel of at least 0.5 does.",
)
@click.option(
    "--records",
    type=Path,
    help="Records whose radiographs are shown with maps, in place of these' small previews.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    help="Port on this machine, which no other can reach.",
)
def command(folders: tuple[Path, ...], point: Path | None, records: Path | None, port: int) -> None:
    """Browse the cases of records, or of maps, in a browser on this machine; Ctrl-C ends it.

    A case has its radiograph, annotation, probability and decision. Filters are by outcome (false
    negative, false positive ...) and by fold, view, sex, age and size; the order, by size or Dice.
    Nothing is written or sent anywhere: the address that is printed has a secret, and works on this
    machine alone.

      tfptx view maps --point study/joint/point.json

      tfptx view maps --point study/joint/point.json --records records

      tfptx view records --port 8080
    """
    from tfptx.studies.viewer import server  # noqa: PLC0415 - imports pandas

    cases = _cases(folders, point, records)
    try:
        opened = server.Server(cases, port)
    except OSError as error:
        raise ValueError(f"port {port} can't be had ({error}); choose another --port") from error
    with opened as serving:
        click.echo(f"{serving.url}\nCtrl-C ends it")
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return


def _cases(folders: tuple[Path, ...], point: Path | None, records: Path | None) -> Any:
    from tfptx.operating_point import maps, tables  # noqa: PLC0415 - imports pandas
    from tfptx.records import manifest  # noqa: PLC0415 - imports pandas

    if any((folder / manifest.NAME).is_file() for folder in folders):
        if len(folders) > 1 or point is not None or records is not None:
            raise click.UsageError(
                "records are browsed one folder at a time, without other options"
            )
        return _record_cases(folders[0])
    if len(folders) == 1 and not (folders[0] / maps.NAME).is_file():
        raise ValueError(
            f"{folders[0]} holds neither records nor maps; make them with tfptx build-records or "
            "tfptx predict-maps"
        )
    from tfptx.studies.viewer.map_cases import MapCases  # noqa: PLC0415 - imports OpenCV

    chosen = tables.Point(threshold=0.5, min_pixels=0, size_px=1024)
    if point is not None:
        chosen = tables.read_point(point)
    pictures = {} if records is None else {"picture_of": _record_cases(records).picture}
    with progress("count") as advance:
        return MapCases(folders, chosen, advance, **pictures)


def _record_cases(folder: Path) -> Any:
    import_tensorflow()
    from tfptx.studies.viewer.record_cases import RecordCases  # noqa: PLC0415 - TensorFlow

    return RecordCases(folder)
