"""This holds the command `tfptx verify-records`."""

from pathlib import Path

import click

from tfptx.cli.progress import progress
from tfptx.cli.quiet import import_tensorflow


@click.command()
@click.argument("records", type=Path, default=Path("records"))
def command(records: Path) -> None:
    """Check every byte and example of RECORDS against its manifest.

    tfptx verify-records records
    """
    import_tensorflow()
    from tfptx.records import verify  # noqa: PLC0415 - TensorFlow takes seconds to import

    with progress("verify records") as advance:
        problems = verify.verify(records, advance)
    if problems:
        raise ValueError(f"{records} is damaged, build it anew: {'; '.join(problems)}")
    click.echo(f"{records}: every shard is as it was written")
