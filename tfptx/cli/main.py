"""This holds the command group: its commands by name, and how an error reaches the user."""

import importlib
import inspect
import re
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

import click

COMMANDS = {
    "demo": "tfptx.cli.demo",
    "phantom": "tfptx.cli.phantom",
    "build-records": "tfptx.cli.build_records",
    "verify-records": "tfptx.cli.verify_records",
    "fit": "tfptx.cli.fit",
    "predict-maps": "tfptx.cli.predict_maps",
    "import-maps": "tfptx.cli.import_maps",
    "pseudo-label": "tfptx.cli.pseudo_label",
    "study": "tfptx.cli.study",
    "compare-backbones": "tfptx.cli.compare_backbones",
    "sweep": "tfptx.cli.sweep",
    "evaluate": "tfptx.cli.evaluate",
    "score": "tfptx.cli.score",
    "report": "tfptx.cli.report",
    "view": "tfptx.cli.view",
    "export": "tfptx.cli.export",
    "predict": "tfptx.cli.predict",
    "watch": "tfptx.cli.watch",
    "info": "tfptx.cli.info",
}


class Commands(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        if command.help:
            # A line of an example that is broken can't be copied.
            command.help = re.sub(r"\n\n(?=\s*tfptx )", "\n\n\b\n", inspect.cleandoc(command.help))
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what it refuses becomes one line and exit code 1."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _stop)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Who read the output has left, as head does; click ends quietly.
            raise
        except _expected_errors() as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"error: {_one_line(error)}", err=True)
            sys.exit(1)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End a command that was asked to: what it had begun to write is removed on the way out."""
    click.echo("error: stopped by SIGTERM", err=True)
    sys.exit(128 + number)


def _expected_errors() -> tuple[type[Exception], ...]:
    """What a command raises of its input, and TensorFlow, where imported, of files and devices."""
    tensorflow = sys.modules.get("tensorflow")
    return (ValueError, OSError, *(() if tensorflow is None else (tensorflow.errors.OpError,)))


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}; check that path"
    if isinstance(error, ValueError | OSError):
        return " ".join(str(error).split())
    # What follows the first line names nodes of a graph.
    first = str(error).strip().splitlines()[0]
    if type(error).__name__ == "ResourceExhaustedError":
        return f"the device's memory is exhausted, take a smaller batch size: {first}"
    return f"{first}; if a file is damaged, verify-records tells which"


@click.command(cls=Commands)
@click.version_option(package_name="tfptx")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Pneumothorax segmentation on chest X-rays.

    The commands stand in the order of the work: scans become records, records a fitted network, its
    probability maps an operating point, and both together an export that predicts. See it all on
    generated radiographs with "tfptx demo".
    """
