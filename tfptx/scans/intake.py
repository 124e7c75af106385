"""This holds the intake of files of any kind: scans to predict, and why others are none."""

import collections
import dataclasses
import errno
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx.scans import dicom, image_files, image_headers, image_ids, radiograph
from tfptx.scans.plain_text import plain
from tfptx.scans.radiograph import Take
from tfptx.scans.scan import Scan

OF_THE_FILE = frozenset({None, errno.EACCES, errno.EPERM})  # errors that stay
LONGEST_ID_BYTES = 180  # with a suffix and a temporary name's, what a file system takes
_NO_ID = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class File:
    """A file to look at; `name` is its path below the folder that was named."""

    path: Path
    name: str
    image_id: str


@dataclass(frozen=True)
class Left:
    """Why a file is not predicted; `has_failed` where it is, or claims to be, what is taken."""

    reason: str
    has_failed: bool


def find(inputs: Sequence[Path]) -> list[File]:
    """All files that are named or lie in named folders at any depth, by id, each once.

    An image's id is its file's name without suffix; where several have that, its path below the
    folder with underscores; where several have that too, the same with the suffix.
    Raises ValueError where there is no file, or two have one id still.
    """
    names: dict[Path, str] = {}
    for each in inputs:
        for path in _files(each):
            is_named = path == each
            names.setdefault(
                path.absolute(), path.name if is_named else str(path.relative_to(each))
            )
    choices = {path: _choices(path, name) for path, name in names.items()}
    counts = collections.Counter(each for of_one in choices.values() for each in of_one)
    found: dict[str, File] = {}
    for path, name in names.items():
        image_id = _safe(next((each for each in choices[path] if counts[each] == 1), name))
        other = found.setdefault(image_id, File(path, name, image_id))
        if other.path.resolve() != path.resolve():
            raise ValueError(
                f"two files have the id {image_id}: {other.path} and {path}; predict them apart"
            )
    return sorted(found.values(), key=lambda file: (file.image_id, file.name))


def read(file: File, take: Take) -> Scan | Left:
    """The scan of a file that is taken, told by its content, whatever its name.

    Raises OSError where the file can't be reached, which is the storage's fault and may pass.
    """
    try:
        with file.path.open("rb") as opened:
            head = opened.read(len(image_headers.PNG_START))
        if head.startswith((image_headers.PNG_START, image_headers.JPEG_START)):
            scan = image_files.read(file.path)
        elif dicom.is_one(file.path) or file.path.suffix.lower() in dicom.SUFFIXES:
            if reason := radiograph.why_left(dicom.read_header(file.path), take):
                return Left(reason, has_failed=False)
            scan = dicom.read(file.path)
        else:
            is_image = file.path.suffix.lower() in image_files.SUFFIXES
            return Left("neither DICOM, PNG nor JPEG by its first bytes", has_failed=is_image)
    except OSError as error:
        if error.errno not in OF_THE_FILE:
            raise
        return Left((error.strerror or "can't be read").lower(), has_failed=True)
    except ValueError as error:
        return Left(plain(str(error)), has_failed=True)
    except Exception as error:  # pydicom converts an attribute where it is asked for
        return Left(plain(f"damaged DICOM: {error}"), has_failed=True)
    return dataclasses.replace(scan, image_id=file.image_id)


def _choices(path: Path, name: str) -> list[str]:
    """What an image can be called, the shortest first."""
    whole = name.replace("/", "_")
    return list(dict.fromkeys([image_ids.of(path.name), image_ids.of(whole), whole]))


def _files(named: Path) -> list[Path]:
    if named.is_file():
        return [named]
    if not named.is_dir():
        raise ValueError(f"no folder at {named}")
    found = sorted(path for path in named.rglob("*") if path.is_file())
    if not found:
        raise ValueError(f"{named} holds no scan, nor any other file")
    return found


def _safe(name: str) -> str:
    """A name that is one file's name everywhere; a checksum keeps what was changed apart."""
    cleaned = _NO_ID.sub("_", name).strip(".") or "_"
    if len(cleaned.encode()) <= LONGEST_ID_BYTES and cleaned == name:
        return cleaned
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    kept = cleaned.encode()[: LONGEST_ID_BYTES - 13].decode("utf-8", "ignore")
    return f"{kept}-{digest}"
