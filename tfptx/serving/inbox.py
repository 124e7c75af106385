"""This holds the inbox of a triage folder: which files have arrived whole, and taking them."""

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tfptx import files

SCHEMA = 1
UNFINISHED = (".part", ".partial", ".tmp", ".writing")  # as senders call what they still write
SOURCE, NAME, ATTEMPTS = "source", "name.json", "attempts"

Stamp = tuple[int, int, int]


class Inbox:
    """A folder, of any depth, into which files are written or moved by others.

    A file has arrived when it stayed as it is for `settle_seconds`. Links are not followed, since
    they may lead anywhere; hidden files and those called as unfinished are left alone.
    """

    def __init__(
        self, folder: Path, settle_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._seen: dict[Path, tuple[Stamp, float]] = {}

    def arrived(self) -> list[Path]:
        """The files that have arrived, the longest known first."""
        now, seen = self._clock(), {}
        for path, stamp in _files(self._folder):
            known = self._seen.get(path)
            seen[path] = known if known is not None and known[0] == stamp else (stamp, now)
        self._seen = seen
        settled = (path for path, (_, since) in seen.items() if now - since >= self._settle_seconds)
        return sorted(settled, key=lambda path: (seen[path][1], str(path)))

    def is_empty(self) -> bool:
        """Whether no file is there, arrived or on its way, as of the last look."""
        return not self._seen


@dataclass(frozen=True)
class Claim:
    """A file that was taken from the inbox, in a folder of its own until it is done with."""

    folder: Path

    @property
    def source(self) -> Path:
        """The file."""
        return self.folder / SOURCE

    @property
    def name(self) -> str:
        """What it was called in the inbox."""
        return str(files.read_json(self.folder / NAME, SCHEMA)["name"])

    @property
    def attempts(self) -> int:
        """How often it was begun without an end: the process ended instead."""
        path = self.folder / ATTEMPTS
        return int(path.read_text()) if path.is_file() else 0

    def note_attempts(self, number: int) -> None:
        """Note how often it was begun."""
        files.write_text(self.folder / ATTEMPTS, str(number))

    def move_source(self, target: Path) -> None:
        """Move the file to where it stays."""
        move(self.source, target)

    def end(self) -> None:
        """Remove the folder, after which the file is not looked at again."""
        shutil.rmtree(self.folder)


def claim(path: Path, inbox: Path, claims: Path) -> Claim | None:
    """Take a file from the inbox, None where another one did."""
    folder = claims / secrets.token_hex(8)
    folder.mkdir(parents=True)
    name = str(path.relative_to(inbox)).encode("utf-8", "backslashreplace").decode()
    files.write_json(folder / NAME, {"schema": SCHEMA, "name": name})
    try:
        move(path, folder / SOURCE)
    except FileNotFoundError:
        shutil.rmtree(folder)
        return None
    return Claim(folder)


def left_claims(claims: Path) -> list[Claim]:
    """The claims of a process that ended; those it had not begun are removed."""
    found = []
    for folder in sorted(claims.iterdir()) if claims.is_dir() else ():
        if (folder / SOURCE).is_file():
            found.append(Claim(folder))
        else:
            shutil.rmtree(folder)
    return found


def move(path: Path, target: Path) -> None:
    """Move a file, to another file system too; it is never in neither place."""
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with files.writing(target) as temporary:
            shutil.copyfile(path, temporary)
            with temporary.open("rb") as copied:
                os.fsync(copied.fileno())
        path.unlink()


def _files(folder: Path) -> Iterator[tuple[Path, Stamp]]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.startswith(".") or name.lower().endswith(UNFINISHED):
                continue
            path = Path(root, name)
            try:
                found = path.lstat()
            except FileNotFoundError:  # moved away meanwhile
                continue
            if stat.S_ISREG(found.st_mode):
                yield path, (found.st_ino, found.st_size, found.st_mtime_ns)
