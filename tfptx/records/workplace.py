"""This holds the workplace of a build: the folder beside its records in which it can be cut off."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfptx import files, provenance
from tfptx.records.manifest import Shard

SCHEMA = 1
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Workplace:
    """`parts` is the spool, `records` becomes the records folder, `notes` say what is done."""

    folder: Path

    @property
    def parts(self) -> Path:
        """The spool."""
        return self.folder / "parts"

    @property
    def records(self) -> Path:
        """What becomes the records folder."""
        return self.folder / "records"

    @property
    def notes(self) -> Path:
        """What is done: a file a shard, and one of all."""
        return self.folder / "notes"

    @property
    def replaced(self) -> Path:
        """What stood where the records come to stand."""
        return self.folder / "replaced"

    def keep(self, folder: Path, names: Iterable[str]) -> None:
        """Remove what a build of something else, or a killed one, left in a folder of this."""
        wanted = set(names)
        for path in folder.iterdir():
            if path.name not in wanted:
                path.unlink()

    def shard(self, name: str, made_from: str, write: Callable[[], Shard]) -> Shard:
        """Give a shard, which is written unless it is there from the same and unchanged."""
        note, path = self.notes / f"{name}.json", self.records / name
        content = _read_note(note)
        if content is not None and content["made_from"] == made_from and path.is_file():
            shard = Shard.model_validate(content["shard"])
            if provenance.sha256_of_file(path) == shard.sha256:
                return shard
        shard = write()
        content = {"schema": SCHEMA, "made_from": made_from, "shard": shard.model_dump()}
        files.write_json(note, content)
        return shard

    def note_whole(self, made_from: str) -> None:
        """Note that the records are whole."""
        files.write_json(self._whole, {"schema": SCHEMA, "made_from": made_from})

    def is_whole(self, made_from: str) -> bool:
        """Whether the records are whole and made from just this."""
        content = _read_note(self._whole)
        return content is not None and content["made_from"] == made_from

    def withdraw(self) -> None:
        """Take back that the records are whole, before any of their files changes."""
        self._whole.unlink(missing_ok=True)

    def move_to(self, out: Path) -> None:
        """Move the records to where they belong, in place of what stands there; remove the rest."""
        # A machine that fails now would else lose what the spool could still mend.
        os.sync()
        shutil.rmtree(self.parts)
        if self.replaced.exists():
            shutil.rmtree(self.replaced)
        if out.exists():
            out.rename(self.replaced)
        self.records.rename(out)
        shutil.rmtree(self.folder)

    @property
    def _whole(self) -> Path:
        return self.notes / "whole.json"


def remove_finished(out: Path) -> None:
    """Remove what a build leaves that is killed once its records stand at `out`."""
    place = _beside(out)
    if out.exists() and place.notes.is_dir() and not place.records.exists():
        # Another process may be removing it too.
        shutil.rmtree(place.folder, ignore_errors=True)


@contextlib.contextmanager
def alone(out: Path) -> Iterator[Workplace]:
    """Open the workplace of the records `out` for one process; another one may go on in it later.

    Raises ValueError where another process is at work or the folder is something else, OSError
    where it can't be written to or the disk is full.
    """
    place = _beside(out)
    folders = (place.parts, place.records, place.notes)
    place.folder.mkdir(parents=True, exist_ok=True)
    strangers = {path.name for path in place.folder.iterdir()} - {
        each.name for each in (*folders, place.replaced)
    }
    if strangers:
        raise ValueError(
            f"{place.folder} is where the build works, and holds {min(strangers)!r}; "
            "move it away or choose another --out"
        )
    refusal = f"another process builds {out}; wait until it has ended, or choose another --out"
    try:
        with files.alone(place.folder, refusal):
            for folder in folders:
                folder.mkdir(exist_ok=True)
            yield place
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OSError(
            f"no space is left for {place.folder}, which needs twice the records' size; free some "
            "and run the same command again, which goes on from here"
        ) from error


def _beside(out: Path) -> Workplace:
    target = out.resolve()
    return Workplace(target.with_name(f"{target.name}.partial"))


def _read_note(path: Path) -> dict[str, Any] | None:
    """What a note says, None where there is none; a machine that fails may tear it."""
    try:
        return files.read_json(path, SCHEMA) if path.is_file() else None
    except ValueError:
        return None
