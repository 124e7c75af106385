"""This holds the claims: files that were taken from the inbox, until they are done with."""

import errno
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from tfptx import files

SCHEMA = 1
SOURCE, NAME, ATTEMPTS, PREPARED = "source", "name.json", "attempts", "prepared"
UNKNOWN_NAME = "unknown"
MAX_ATTEMPTS = 3  # of a file at which the process ended, before it is taken to be why
IMMOVABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})  # errors of the inbox's own folders


class ImmovableError(ValueError):
    """A file may not be moved out of the inbox; its text names no file."""


@dataclass(frozen=True)
class Claim:
    """A file that was taken from the inbox, in a folder of its own until it is done with.

    `attempts` is how often a process ended while it was at work on the file. `prepared` is a folder
    with the result and the file itself, once the latter is no longer at `source`.
    """

    folder: Path
    attempts: int = 0

    @property
    def source(self) -> Path:
        """The file."""
        return self.folder / SOURCE

    @property
    def prepared(self) -> Path:
        """Its result, as it will be published."""
        return self.folder / PREPARED

    @property
    def is_prepared(self) -> bool:
        """Whether its result is whole, and only to be published."""
        return self.prepared.is_dir() and not self.source.exists()

    @property
    def name(self) -> str:
        """What it was called in the inbox, UNKNOWN_NAME where the note of it is damaged."""
        try:
            return str(files.read_json(self.folder / NAME, SCHEMA)["name"])
        except (FileNotFoundError, KeyError, ValueError):
            return UNKNOWN_NAME

    def note_begun(self) -> None:
        """Note that it is worked on. Raises OSError where that can't be written."""
        files.write_text(self.folder / ATTEMPTS, str(self.attempts + 1))

    def note_faultless(self) -> None:
        """Note that whatever happened was no fault of the file. Raises OSError likewise."""
        files.write_text(self.folder / ATTEMPTS, "0")

    def end(self) -> None:
        """Remove the folder, after which the file is not looked at again."""
        shutil.rmtree(self.folder)


def claim(path: Path, inbox: Path, claims: Path) -> Claim | None:
    """Take a file from the inbox, None where another one did.

    Raises ImmovableError where the file may not be moved, OSError where `claims` can't be written
    to or the storage fails; the file then stays where it is.
    """
    folder = claims / secrets.token_hex(8)
    folder.mkdir(parents=True)
    name = str(path.relative_to(inbox)).encode("utf-8", "backslashreplace").decode()
    try:
        files.write_json(folder / NAME, {"schema": SCHEMA, "name": name})
        _take(path, folder / SOURCE)
    except FileNotFoundError:
        shutil.rmtree(folder)
        return None
    except (ImmovableError, OSError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Claim(folder)


def left(claims: Path) -> list[Claim]:
    """The claims of a process that ended; those it had not begun, or had ended, are removed."""
    found = []
    for folder in sorted(claims.iterdir()) if claims.is_dir() else ():
        if folder.is_symlink() or not folder.is_dir():
            continue  # nothing of ours
        claim = Claim(folder, _attempts(folder))
        if claim.source.is_file() or claim.is_prepared:
            found.append(claim)
        else:
            shutil.rmtree(folder)
    return found


def move(path: Path, target: Path) -> None:
    """Move a file, to another file system too; it is never in neither place.

    Raises OSError where it can't be moved.
    """
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with files.writing(target) as temporary:
            shutil.copyfile(path, temporary)
        path.unlink()


def _take(path: Path, target: Path) -> None:
    try:
        move(path, target)
    except OSError as error:
        if error.errno in IMMOVABLE:
            raise ImmovableError(os.strerror(error.errno).lower()) from error
        raise


def _attempts(folder: Path) -> int:
    path = folder / ATTEMPTS
    if not path.exists():
        return 0
    try:
        return int(path.read_text(encoding="utf-8"))
    except ValueError:  # lost with the machine's power
        return MAX_ATTEMPTS - 1
