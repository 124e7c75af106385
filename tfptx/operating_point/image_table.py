"""This holds a table of whole numbers with an entry for each image, made once and kept on disk.

It is made by all cores, block by block, so that a process that was killed goes on; and it is mapped
into memory, not read, so that many images take little of it.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import files

Numbers = NDArray[np.uint32]
Advance = Callable[[float], None]

SCHEMA = 1
_BLOCK = 64  # images between two notes of how far the table has come
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
    finished share of the work. Where the folder can't be written to, the table is not kept.
    """
    found = read(path, belongs_to)
    if found is None:
        try:
            with _alone(path.with_suffix(".partial")) as partial:
                # Another process may have made it while this one waited for its turn.
                found = read(path, belongs_to)
                if found is None:
                    numbers = _go_on(partial, belongs_to, shape, count, advance)
                    write(path, belongs_to, numbers)
                    return _mapped(path)
        except PermissionError:
            numbers = np.empty(shape, np.uint32)
            _fill(numbers, 0, count, advance, lambda done: None)
            return numbers
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
def _alone(partial: Path) -> Iterator[Path]:
    """Make a folder for the table in progress, once no other process is at work in it."""
    partial.mkdir(exist_ok=True)
    with (partial / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield partial
        shutil.rmtree(partial, ignore_errors=True)


def _go_on(
    partial: Path,
    belongs_to: str,
    shape: tuple[int, ...],
    count: Callable[[int], Numbers],
    advance: Advance,
) -> Numbers:
    note, path = partial / "done.json", partial / "numbers.npy"
    done = 0
    if note.is_file() and path.is_file():
        content = files.read_json(note, SCHEMA)
        done = content["done"] if content["belongs_to"] == belongs_to else 0
    numbers = np.lib.format.open_memmap(
        path, mode="r+" if done else "w+", dtype=np.uint32, shape=None if done else shape
    )
    advance(done / len(numbers))

    def keep(images: int) -> None:
        # The numbers stand in the file's pages, which outlive the process, if not the machine.
        files.write_json(note, {"schema": SCHEMA, "belongs_to": belongs_to, "done": images})

    _fill(numbers, done, count, advance, keep)
    return numbers


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
