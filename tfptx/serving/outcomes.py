"""This holds the outcome of each file, and their journal, in which a run can be cut off."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tfptx.scans.intake import File
from tfptx.serving.findings import Finding

SCHEMA = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a file: a finding, with run lengths where it was predicted, or why not."""

    file: File
    finding: Finding | None = None
    run_lengths: str = ""
    left: str = ""


class Journal:
    """A line of JSON an outcome, the first one what all were made from; a torn line is none.

    The outcomes stay on disk, in memory is where. Only one process may have it open.
    """

    def __init__(self, path: Path, made_from: str) -> None:
        """Open the journal, or begin it.

        Raises ValueError where its outcomes were made from something else.
        """
        self._file: BinaryIO = path.open("a+b")
        self._places: dict[tuple[str, str], tuple[str, int]] = {}
        self._file.seek(0)
        first, second = self._file.readline(), self._file.readline()
        if not second.endswith(b"\n"):
            # No outcome is there to be lost.
            self._file.truncate(0)
            self._append({"schema": SCHEMA, "made_from": made_from})
        elif json.loads(first) != {"schema": SCHEMA, "made_from": made_from}:
            self._file.close()
            raise ValueError(
                f"{path.parent} holds what another model or other options predicted before they "
                "were cut off; pass those again to go on, or --overwrite to begin anew"
            )
        else:
            self._file.seek(len(first))
            self._find_places()

    def has(self, file: File) -> bool:
        """Whether a file has an outcome and did not change since."""
        known = self._places.get(_key(file))
        return known is not None and known[0] == _stamp(file)

    def append(self, outcome: Outcome) -> None:
        """Add an outcome, once all that was written of it is there."""
        file = outcome.file
        at = self._append(
            {
                "path": str(file.path),
                "name": file.name,
                "image_id": file.image_id,
                "stamp": _stamp(file),
                "finding": None if outcome.finding is None else asdict(outcome.finding),
                "run_lengths": outcome.run_lengths,
                "left": outcome.left,
            }
        )
        self._places[_key(file)] = (_stamp(file), at)

    def outcomes(self, found: Sequence[File]) -> Iterator[Outcome]:
        """The outcomes of files, in their order."""
        for file in found:
            self._file.seek(self._places[_key(file)][1])
            line = json.loads(self._file.readline())
            finding = None if line["finding"] is None else Finding(**line["finding"])
            yield Outcome(file, finding, line["run_lengths"], line["left"])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, content: dict[str, Any]) -> int:
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(content).encode() + b"\n")
        self._file.flush()
        return at

    def _find_places(self) -> None:
        while (at := self._file.tell()) >= 0 and (line := self._file.readline()):
            if not line.endswith(b"\n"):
                self._file.truncate(at)
                return
            content = json.loads(line)
            key = content["path"], content["image_id"]
            self._places[key] = content["stamp"], at


def _key(file: File) -> tuple[str, str]:
    return str(file.path), file.image_id


def _stamp(file: File) -> str:
    """What changes where a file does; empty where it is gone."""
    try:
        stat = file.path.stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"
