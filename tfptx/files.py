"""This holds write-then-rename: a file or folder appears whole or not at all."""

import fcntl
import json
import logging
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_WRITING = ".writing-"
_SETTLED_SECONDS = 60.0  # between the making of a temporary name and its lock, many times over


@contextmanager
def writing(path: Path, is_flushed: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well.

    The temporary name keeps the suffixes of `path`, since many writers choose the format by them.
    Where it `is_flushed` its bytes are on the disk before it is renamed, so that no loss of power
    leaves an empty file; who finds out by a checksum need not wait for that.
    When the block raises, the temporary file is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffixes = "".join(path.suffixes)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_WRITING, suffix=suffixes)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp's 0600 would lock out the group that shares the folder.
        temporary.chmod(0o666 & ~_umask())
        if is_flushed:
            _flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which it replaces when the block ends well.

    What stood at `path` before is replaced as a whole, and only then. A temporary folder that a
    process left beside it when it was killed is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.glob(f"{_WRITING}*/"):
        _remove_if_left(other)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=_WRITING))
    handle = os.open(temporary, os.O_RDONLY)
    try:
        with suppress(OSError):  # where nothing can be locked nothing is taken for left over
            _lock(handle)
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        put_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)


def put_folder(folder: Path, path: Path) -> None:
    """Rename a folder to `path`, beside it, where it replaces what stands there as a whole."""
    if not path.exists():
        folder.rename(path)
        return
    replaced = Path(tempfile.mkdtemp(dir=path.parent, prefix=".replaced-"))
    path.rename(replaced / path.name)
    folder.rename(path)
    shutil.rmtree(replaced)


@contextmanager
def alone(folder: Path, refusal: str) -> Iterator[None]:
    """Hold a folder, made where it is missing, for this process while the block runs.

    Raises ValueError, of the text `refusal`, where another process has it, or had and removed it.
    Where the file system knows no locks, a warning is logged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        if not _lock_if_possible(handle, folder) or not _is_still(handle, folder):
            raise ValueError(refusal)
        yield
    finally:
        os.close(handle)


def remove_begun(folder: Path) -> None:
    """Remove what was begun anywhere in a folder that no other process writes to."""
    for path in folder.rglob(f"{_WRITING}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as `to_json` has it, whole or not at all."""
    write_text(path, to_json(content) + "\n")


def to_json(content: Mapping[str, Any]) -> str:
    """Give `content` as indented JSON, which knows no NaN: what no image bears on is null."""
    return json.dumps(_known(content), indent=2, ensure_ascii=False, allow_nan=False)


def read_json(path: Path, schema: int) -> dict[str, Any]:
    """Read a JSON object whose key `schema` equals the version that the caller knows.

    Raises ValueError where the file is no JSON object or has another schema version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON ({error}); make it anew") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != schema:
        raise ValueError(f"{path} has schema {found!r}, this version of tfptx reads {schema}")
    return dict(content)


def _known(content: Any) -> Any:
    """The content with None in place of every NaN."""
    match content:
        case Mapping():
            return {key: _known(value) for key, value in content.items()}
        case list() | tuple():
            return [_known(value) for value in content]
        case float() if math.isnan(content):
            return None
        case _:
            return content


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock what is open until it is closed or the process ends; tell whether no other has.

    Raises OSError where the file system knows no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_if_possible(handle: int, folder: Path) -> bool:
    """Do as `_lock`; warn where the file system knows no locks, and tell of no other."""
    try:
        return _lock(handle)
    except OSError as error:
        logger.warning(
            "nothing can be locked in %s (%s); see to it that no other process writes there",
            folder,
            error,
        )
        return True


def _is_still(handle: int, folder: Path) -> bool:
    """Whether what is open is what stands at a path."""
    try:
        return os.fstat(handle).st_ino == folder.stat().st_ino
    except FileNotFoundError:
        return False


def _remove_if_left(folder: Path) -> None:
    """Remove a temporary folder that nobody has locked."""
    with suppress(OSError):  # another process was first, or it is somebody else's
        handle = os.open(folder, os.O_RDONLY)
        try:
            is_settled = time.time() - os.fstat(handle).st_mtime > _SETTLED_SECONDS
            if is_settled and _lock(handle):
                shutil.rmtree(folder)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
