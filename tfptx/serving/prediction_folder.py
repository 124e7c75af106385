"""This holds the folder beside the predictions in which a run can be cut off, and goes on."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfptx import files
from tfptx.serving.outcomes import Journal

JOURNAL = "journal.jsonl"


@contextlib.contextmanager
def begun(out: Path, made_from: str, begin_anew: bool) -> Iterator[tuple[Path, Journal]]:
    """Open OUT.partial and its journal for one process; another one may go on in it later.

    Raises ValueError where another process is at work there, it is something else, or what lies
    there was made from something else, unless it is to `begin_anew`.
    """
    target = out.resolve()
    folder = target.with_name(f"{target.name}.partial")
    refusal = f"another process predicts {out}; wait until it has ended, or choose another --out"
    with files.alone(folder, refusal):
        if any(folder.iterdir()) and not (folder / JOURNAL).is_file():
            raise ValueError(
                f"{folder} is where predictions are made, and holds something else; move it away "
                "or choose another --out"
            )
        if begin_anew:
            _empty(folder)
        files.remove_begun(folder)
        journal = Journal(folder / JOURNAL, made_from)
        try:
            yield folder, journal
        finally:
            journal.close()


def put(folder: Path, out: Path) -> None:
    """Move a finished folder to where it belongs, in place of what stands there."""
    files.put_folder(folder, out.resolve())
    # Only now, so that a run that is killed here has nothing to do again.
    (out / JOURNAL).unlink()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
