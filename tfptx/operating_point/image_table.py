"""This holds a table of whole numbers with an entry for each image, made once and kept on disk.

It is made by all cores, block by block, so that a process that was killed goes on; and it is mapped
into memory, not read, so that many images take little of it.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from tfptx import files

Numbers = NDArray[np.uint32]
Advance = Callable[[float], None]

SCHEMA = 1
_BLOCK = 64  # images after which the table may be noted to have come so far
_SECONDS_BETWEEN_NOTES = 5.0  # a note waits for the disk
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
_WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}  # as Lustre, often mounted so
_LOCAL_HEADER_BYTES = 30  # of a member of a zip file, before its name (PKWARE APPNOTE, 4.3.7)


def kept(
    path: Path,
    belongs_to: str,
    shape: tuple[int, ...],
    count: Callable[[int], Numbers],
    advance: Advance,
) -> Numbers:
    """Give the table, uint32 `shape`, from an npz file or made and kept there.

    `count` gives the entry of an image; it is called from several threads. `belongs_to` names what
    the table was made from: another name and it is made anew. `advance` is called with each
    finished share of the work. Where the folder can't be written to, or nothing can be locked in
    it, the table is not kept.
    """
    found = read(path, belongs_to)
    if found is None:
        with _alone(path.with_suffix(".lock")) as is_writable:
            if not is_writable:
                numbers = np.empty(shape, np.uint32)
                _fill(numbers, 0, count, advance, lambda done: None)
                return numbers
            # Another process may have made it while this one waited for its turn.
            found = read(path, belongs_to)
            if found is None:
                _make(path, belongs_to, shape, count, advance)
                return _mapped(path)
    advance(1.0)
    return found


def read(path: Path, belongs_to: str) -> Numbers | None:
    """Give the table that is kept, None where there is none that was made from this."""
    try:
        # Given a path, np.load leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            return _mapped(path) if str(content["belongs_to"]) == belongs_to else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write(path: Path, belongs_to: str, numbers: Numbers) -> None:
    """Keep a table, whole or not at all."""
    with files.writing(path) as temporary:
        np.savez(temporary, numbers=numbers, belongs_to=belongs_to)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Hold a lock that no other process has; False where none can be had in the folder."""
    try:
        lock = _locked(path)
    except OSError as error:
        if error.errno not in _UNWRITABLE | _WITHOUT_LOCKS:
            raise
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        lock.close()


def _locked(path: Path) -> IO[str]:
    """The open file of a lock, once it is ours."""
    while True:
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            path.unlink()
            lock.close()
            raise
        # Who had it before may have removed the file, and a third may have locked a new one.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                return lock
        lock.close()


def _make(
    path: Path,
    belongs_to: str,
    shape: tuple[int, ...],
    count: Callable[[int], Numbers],
    advance: Advance,
) -> None:
    """Make the table and keep it, from where a process that was killed had come."""
    partial = path.with_suffix(".partial")
    partial.mkdir(exist_ok=True)
    note, unfinished = partial / "done.json", partial / "numbers.npy"
    done = 0
    if note.is_file() and unfinished.is_file():
        content = files.read_json(note, SCHEMA)
        done = content["done"] if content["belongs_to"] == belongs_to else 0
    if not done:
        # The note of another table would come true of this one's empty rows.
        note.unlink(missing_ok=True)
    numbers = np.lib.format.open_memmap(
        unfinished, mode="r+" if done else "w+", dtype=np.uint32, shape=None if done else shape
    )
    advance(done / len(numbers))
    noted_at = time.monotonic()

    def keep(images: int) -> None:
        nonlocal noted_at
        if time.monotonic() - noted_at >= _SECONDS_BETWEEN_NOTES:
            # Pages outlive the process, but not the machine: what is noted is on the disk.
            numbers.flush()
            files.write_json(note, {"schema": SCHEMA, "belongs_to": belongs_to, "done": images})
            noted_at = time.monotonic()

    _fill(numbers, done, count, advance, keep)
    write(path, belongs_to, numbers)
    shutil.rmtree(partial)


def _fill(
    numbers: Numbers,
    done: int,
    count: Callable[[int], Numbers],
    advance: Advance,
    keep: Callable[[int], None],
) -> None:
    def fill(position: int) -> None:
        numbers[position] = count(position)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(done, len(numbers), _BLOCK):
            end = min(first + _BLOCK, len(numbers))
            for _ in pool.map(fill, range(first, end)):
                advance(1 / len(numbers))
            keep(end)


def _mapped(path: Path) -> Numbers:
    """The numbers of an npz file as a view of the file: np.load would read them all."""
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("numbers.npy")
        with archive.open(member) as stream:
            np.lib.format.read_magic(stream)
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            array_header_bytes = stream.tell()
    with path.open("rb") as file:
        file.seek(member.header_offset + _LOCAL_HEADER_BYTES - 4)
        name_bytes, extra_bytes = struct.unpack("<HH", file.read(4))
    start = member.header_offset + _LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    return np.memmap(path, dtype, "r", start + array_header_bytes, shape)
