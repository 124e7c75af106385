"""This holds the progress bar of long commands, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def progress(task: str) -> Iterator[Callable[[float], None]]:
    """Show a bar while the block runs; yield what is called with each finished share, 0 to 1."""
    console = Console(stderr=True)
    # In a log file or a pipe a bar would only be noise.
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        job = bar.add_task(task, total=1.0)
        yield lambda share: bar.advance(job, share)
