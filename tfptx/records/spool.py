"""This holds the spool: a build's entries on disk, from which its shards are put together.

It has parts, each a file of records and an index beside it, which is written last. A part's name
tells all that it is made from, so that a build which was cut off takes what it finds.
"""

import dataclasses
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfptx import files, provenance
from tfptx.records.entry import Entry, MaskRuns, examine
from tfptx.records.manifest import Summary
from tfptx.scans import image_ids
from tfptx.scans.annotations import Annotations
from tfptx.scans.mask_files import MaskFiles
from tfptx.scans.scan import Scan

SCHEMA = 1
SCANS_PER_PART = 32  # little is lost with a part, and workers end at about the same time
_LENGTH = struct.Struct("<I")  # bytes of the description that stands before an image


@dataclass(frozen=True)
class Part:
    """Some scans to be examined, with what the csv files tell of these and no others."""

    name: str
    paths: tuple[Path, ...]
    annotated: Annotations | MaskFiles | None
    groups: dict[str, str] | None
    mask_size_px: int | None
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Spooled:
    """An entry in the spool: its summary, and where its record lies."""

    summary: Summary
    part: str
    start_bytes: int
    num_bytes: int


@dataclass(frozen=True)
class Examined:
    """What became of a part's scans; those that are left out as path and reason."""

    spooled: tuple[Spooled, ...]
    skipped: tuple[tuple[Path, str], ...]


def divide(
    paths: Sequence[Path],
    annotated: Annotations | MaskFiles | None,
    groups: dict[str, str] | None,
    mask_size_px: int | None,
    is_strict: bool,
    environment: dict[str, Any],
) -> Iterator[Part]:
    """Give the parts of a build, of these versions. Raises OSError where a file is gone."""
    versions = json.dumps([environment["packages"], environment["code"], mask_size_px, is_strict])
    for first in range(0, len(paths), SCANS_PER_PART):
        some = tuple(paths[first : first + SCANS_PER_PART])
        ids = [image_ids.of_file(path) for path in some]
        told = None if annotated is None else annotated.narrowed(ids)
        patients = groups and {each: groups[each] for each in ids if each in groups}
        stats = [path.stat() for path in some]
        name = provenance.fingerprint(
            [
                versions,
                json.dumps([told and told.fingerprint, patients]),
                *(
                    f"{path} {stat.st_size} {stat.st_mtime_ns}"
                    for path, stat in zip(some, stats, strict=True)
                ),
            ]
        )
        yield Part(provenance.short(name), some, told, patients, mask_size_px, is_strict)


def make(folder: Path, part: Part) -> Examined:
    """Examine a part's scans and write them to the folder, unless it has the part already.

    Raises ValueError and OSError as `examine` does.
    """
    index_json, records = _index(folder, part.name), _records(folder, part.name)
    found = _read(index_json, records)
    if found is not None:
        return found
    spooled: list[Spooled] = []
    skipped: list[tuple[Path, str]] = []
    checksum = 0
    # What is torn is found by its checksum, and made again.
    with files.writing(records, is_flushed=False) as temporary, temporary.open("wb") as file:
        for path in part.paths:
            entry = examine(path, part.annotated, part.groups, part.mask_size_px, part.is_strict)
            if isinstance(entry, str):
                skipped.append((path, entry))
                continue
            start_bytes = file.tell()
            record = encode(entry)
            num_bytes = file.write(record)
            checksum = zlib.crc32(record, checksum)
            spooled.append(Spooled(entry.summary, part.name, start_bytes, num_bytes))
    examined = Examined(tuple(spooled), tuple(skipped))
    content = {
        "crc32": checksum,
        "spooled": [dataclasses.asdict(each) for each in spooled],
        "skipped": [(str(path), reason) for path, reason in skipped],
    }
    # On one line it is written in a fifth of the time.
    with files.writing(index_json, is_flushed=False) as temporary:
        temporary.write_text(json.dumps({"schema": SCHEMA, **content}))
    return examined


def file_names(part: Part) -> tuple[str, str]:
    """The files of a part."""
    return _index(Path(), part.name).name, _records(Path(), part.name).name


def read_record(folder: Path, spooled: Spooled) -> bytes:
    """Read an entry's record."""
    with _records(folder, spooled.part).open("rb", buffering=0) as file:
        file.seek(spooled.start_bytes)
        return file.read(spooled.num_bytes)


def encode(entry: Entry) -> bytes:
    """Write an entry's scan and mask as a record: a description, the soft mask and the image."""
    # dataclasses.asdict copies the image, among others.
    scan = {name: value for name, value in vars(entry.scan).items() if name != "image"}
    mask: dict[str, object] | None = None
    soft = (entry.mask and entry.mask.soft) or b""
    if entry.mask is not None:
        mask = {
            "starts": entry.mask.starts.tolist(),
            "lengths": entry.mask.lengths.tolist(),
            "rows": entry.mask.rows,
            "columns": entry.mask.columns,
        }
    description = json.dumps([scan, mask, len(soft)]).encode()
    return _LENGTH.pack(len(description)) + description + soft + entry.scan.image


def decode(record: bytes) -> tuple[Scan, MaskRuns | None]:
    """Read a record into the scan and its mask, if it has one."""
    end = _LENGTH.size + _LENGTH.unpack_from(record)[0]
    scan, mask, soft_bytes = json.loads(record[_LENGTH.size : end])
    for name in ("starts", "lengths") if mask else ():
        mask[name] = np.array(mask[name], np.int64)
    soft, image = record[end : end + soft_bytes] or None, record[end + soft_bytes :]
    return Scan(image=image, **scan), mask and MaskRuns(**mask, soft=soft)


def _read(index_json: Path, records: Path) -> Examined | None:
    """What became of a part that is there whole; a machine that fails may tear its files."""
    if not index_json.is_file() or not records.is_file():
        return None
    try:
        content = files.read_json(index_json, SCHEMA)
    except ValueError:
        return None
    if zlib.crc32(records.read_bytes()) != content["crc32"]:
        return None
    spooled = (
        Spooled(**{**each, "summary": Summary(**each["summary"])}) for each in content["spooled"]
    )
    skipped = ((Path(path), reason) for path, reason in content["skipped"])
    return Examined(tuple(spooled), tuple(skipped))


def _index(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _records(folder: Path, name: str) -> Path:
    return folder / f"{name}.records"
