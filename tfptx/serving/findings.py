"""This holds the findings on disk: what was found in each image, and why in some nothing could."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tfptx.scans.plain_text import cell

NAME = "findings.csv"


@dataclass(frozen=True)
class Finding:
    """One image; where it has an `error` nothing else is known.

    `path` is the file's, below the folder that was named. `mask_px` are pixels of the image's own
    size. `area_mm2` takes them as large as the scan's spacing or, on a projection, its imager's
    spacing says; it is None where neither is known. `presence` is the probability of any mask where
    the networks have a head that says so. `segmentation` is the name of the DICOM Segmentation, or
    `none` and the reason; it is empty where none was asked for.
    """

    image_id: str
    path: str = ""
    decision: bool | None = None
    mask_px: int | None = None
    area_mm2: float | None = None
    largest_probability: float | None = None
    presence: float | None = None
    segmentation: str = ""
    error: str = ""


def write(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings as csv: a decision is 1 or 0, what is not known an empty cell.

    No cell is a formula to a spreadsheet, whatever files and tags are called.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Finding))
        writer.writerows(map(_row, findings))


def _row(finding: Finding) -> list[object]:
    row: list[object] = []
    for value in astuple(finding):
        if isinstance(value, bool):
            row.append(int(value))
        else:
            row.append(cell(value) if isinstance(value, str) else value)
    return row
