"""This holds the reading of annotations: the competition's csv of run-length masks."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.scans import csv_files, image_ids, rle
from tfptx.scans.rle import Runs

ID_COLUMN = "ImageId"
RLE_COLUMN = "EncodedPixels"


@dataclass(frozen=True)
class Annotations:
    """Per image the run-length texts of its mask's parts; none of them means an empty mask.

    `repeated` are the images that stand in several rows, `contradictory` those of them of which one
    row says that the mask is empty and another one what it is. `lines` are those of the csv that
    the parts stand in, counted from 1; `name` is its file's.
    """

    rles: dict[str, list[str]]
    name: str = "csv"
    repeated: frozenset[str] = frozenset()
    contradictory: frozenset[str] = frozenset()
    lines: dict[str, list[int]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What tells these annotations from any others."""
        odd = sorted(self.contradictory)
        return provenance.fingerprint([json.dumps([self.rles, self.lines, odd])])

    @property
    def ids(self) -> Collection[str]:
        """The ids of the annotated images."""
        return self.rles.keys()

    def narrowed(self, ids: Iterable[str]) -> "Annotations":
        """What is told of some images, and of no others."""
        known = [each for each in ids if each in self.rles]
        return Annotations(
            {each: self.rles[each] for each in known},
            self.name,
            self.repeated.intersection(known),
            self.contradictory.intersection(known),
            {each: self.lines[each] for each in known},
        )

    def runs(self, image_id: str, rows: int, columns: int) -> list[Runs]:
        """The starts and lengths of each of an image's parts, as `rle.parse` gives them.

        Raises ValueError or OtherSizeError as that does, naming the line.
        """
        parts = []
        for line, part in zip(self.lines[image_id], self.rles[image_id], strict=True):
            try:
                parts.append(rle.parse(part, rows, columns))
            except ValueError as error:
                raise type(error)(f"line {line}: {error}") from error
        return parts

    def mask(self, image_id: str, rows: int, columns: int) -> NDArray[np.bool_]:
        """The union of an image's parts, rows x columns. Raises ValueError as `runs` does."""
        mask = np.zeros((rows, columns), np.bool_)
        for starts, lengths in self.runs(image_id, rows, columns):
            mask |= rle.from_runs(starts, lengths, rows, columns)
        return mask

    def drawn(self, image_id: str, rows: int, columns: int) -> tuple[list[Runs], None]:
        """An image's parts, and no probabilities: run lengths have none. Raises as `runs` does."""
        return self.runs(image_id, rows, columns), None

    def oddity(self, image_id: str, parts_px: int, mask_px: int) -> str:
        """What is odd about an image's rows, which have `parts_px` in all and draw `mask_px`."""
        lines = ", ".join(map(str, self.lines[image_id]))
        if image_id in self.contradictory:
            return f"line {lines}: a mask, where another line says {rle.EMPTY}"
        return f"lines {lines}: parts that overlap" if parts_px > mask_px else ""


def read(path: Path) -> Annotations:
    """Read a csv with the columns ImageId and EncodedPixels, in any order, spaces ignored.

    A cell of -1 or without a text is an empty mask; an id may carry the suffix of an image file.
    Raises ValueError as `csv_files.read_lines`, and where an id is missing.
    """
    table = csv_files.read_lines(path, (ID_COLUMN, RLE_COLUMN))
    rles: dict[str, list[str]] = {}
    lines: dict[str, list[int]] = {}
    num_rows: dict[str, int] = {}
    for line, name, text in zip(table.index, table[ID_COLUMN], table[RLE_COLUMN], strict=True):
        image_id = image_ids.of(name)
        if not image_id:
            raise ValueError(f"{path}: line {line} has no {ID_COLUMN}")
        num_rows[image_id] = num_rows.get(image_id, 0) + 1
        parts, at = rles.setdefault(image_id, []), lines.setdefault(image_id, [])
        if text not in {"", rle.EMPTY}:
            parts.append(text)
            at.append(int(line))
    repeated = frozenset(image_id for image_id, rows in num_rows.items() if rows > 1)
    contradictory = frozenset(each for each in repeated if 0 < len(rles[each]) < num_rows[each])
    return Annotations(rles, path.name, repeated, contradictory, lines)
