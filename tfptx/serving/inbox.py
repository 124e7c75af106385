"""This holds the inbox of a triage folder: which files have arrived whole."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

UNFINISHED = (".part", ".partial", ".tmp", ".writing")  # as senders call what they still write
EMPTY_SECONDS = 600.0  # how long a folder is empty before no sender is taken to be at it

Stamp = tuple[int, int, int]


class Inbox:
    """A folder, of any depth, into which files are written or moved by others.

    A file has arrived when it stayed as it was for `settle_seconds`. Links are not followed, since
    they may lead anywhere; hidden files and those called as unfinished are left alone. Folders that
    have been empty for EMPTY_SECONDS, as those of studies that were taken, are removed.
    """

    def __init__(
        self, folder: Path, settle_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._seen: dict[Path, tuple[Stamp, float]] = {}
        self._put_off: dict[Path, float] = {}

    def arrived(self) -> list[Path]:
        """The files that have arrived, the longest known first, but for those that are put off.

        Raises OSError where the folder can't be looked into.
        """
        now, seen = self._clock(), {}
        self._put_off = {path: until for path, until in self._put_off.items() if until > now}
        for path, stamp in _files(self._folder):
            known = self._seen.get(path)
            seen[path] = known if known is not None and known[0] == stamp else (stamp, now)
        self._seen = {path: each for path, each in seen.items() if path not in self._put_off}
        settled = (path for path, (_, at) in self._seen.items() if now - at >= self._settle_seconds)
        return sorted(settled, key=lambda path: (seen[path][1], str(path)))

    def is_as_seen(self, path: Path) -> bool:
        """Whether a file that had arrived is there, and stayed as it was at the last look."""
        return path in self._seen and _stamp(path) == self._seen[path][0]

    def put_off(self, path: Path, seconds: float) -> None:
        """Look at a file no more for so long."""
        self._put_off[path] = self._clock() + seconds
        self._seen.pop(path, None)

    def is_empty(self) -> bool:
        """Whether no file is there, arrived or on its way, as of the last look."""
        return not self._seen


def _files(folder: Path) -> Iterator[tuple[Path, Stamp]]:
    for root, folders, names in os.walk(folder):
        if not folders and not names and Path(root) != folder:
            _remove_if_left(Path(root))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.startswith(".") or name.lower().endswith(UNFINISHED):
                continue
            path = Path(root, name)
            if (stamp := _stamp(path)) is not None:
                yield path, stamp


def _remove_if_left(folder: Path) -> None:
    """Remove an empty folder that nothing came into for long."""
    with suppress(OSError):  # a file has come, or it may not be removed
        if time.time() - folder.stat().st_mtime >= EMPTY_SECONDS:
            folder.rmdir()


def _stamp(path: Path) -> Stamp | None:
    """What changes where a file does, None of what is none, gone or out of reach."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
