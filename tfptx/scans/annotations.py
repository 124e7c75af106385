"""This holds the reading of annotations: the competition's csv of run-length masks."""

import csv
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx.scans import rle

ID_COLUMN = "ImageId"
RLE_COLUMN = "EncodedPixels"


@dataclass(frozen=True)
class Annotations:
    """Per image the run-length texts of its mask's parts; none of them means an empty mask.

    `repeated` are the images that stand in several rows, `contradictory` those of them of which one
    row says that the mask is empty and another one what it is.
    """

    rles: dict[str, list[str]]
    repeated: tuple[str, ...] = ()
    contradictory: tuple[str, ...] = ()

    def mask(self, image_id: str, rows: int, columns: int) -> NDArray[np.bool_]:
        """The union of an image's parts, rows x columns. Raises ValueError as `rle.decode`."""
        mask = np.zeros((rows, columns), np.bool_)
        for part in self.rles[image_id]:
            mask |= rle.decode(part, rows, columns)
        return mask


def read(path: Path) -> Annotations:
    """Read a csv with the columns ImageId and EncodedPixels, in any order, spaces ignored.

    A cell of -1 or without a text is an empty mask. Raises ValueError as `read_columns`, and where
    an id is missing.
    """
    table = read_columns(path, (ID_COLUMN, RLE_COLUMN))
    rles: dict[str, list[str]] = {}
    num_rows: Counter[str] = Counter()
    for row, (image_id, text) in enumerate(
        zip(table[ID_COLUMN], table[RLE_COLUMN], strict=True), start=2
    ):
        if not image_id:
            raise ValueError(f"{path}: line {row} has no {ID_COLUMN}")
        num_rows[image_id] += 1
        parts = rles.setdefault(image_id, [])
        if text not in {"", rle.EMPTY}:
            parts.append(text)
    repeated = tuple(image_id for image_id, rows in num_rows.items() if rows > 1)
    contradictory = tuple(each for each in repeated if 0 < len(rles[each]) < num_rows[each])
    return Annotations(rles, repeated, contradictory)


def read_columns(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a csv as stripped texts, empty where a cell is; header names are stripped too.

    Raises ValueError where the file is no csv, has a row with more or fewer cells than the header
    or a column twice, or lacks one of `columns`.
    """
    try:
        with warnings.catch_warnings():
            # pandas drops the cells past the header with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path, dtype=str, index_col=False, keep_default_na=False, skipinitialspace=True
            )
        _refuse_ragged(path, len(table.columns))
    except FileNotFoundError as error:
        raise ValueError(f"no csv at {path}") from error
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"{path} has a row with more cells than its header; look for commas too many"
        ) from error
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        csv.Error,
    ) as error:
        raise ValueError(f"{path} is not a csv: {error}") from error
    table.columns = table.columns.str.strip()
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path} lacks the column {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    return pd.DataFrame({name: table[name].str.strip() for name in table.columns})


def _refuse_ragged(path: Path, num_columns: int) -> None:
    """Refuse what pandas mends in silence: names that stand twice, and cells that are not there."""
    # The runs of a mask may be longer than the csv module's 128 KB.
    csv.field_size_limit(sys.maxsize)
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, skipinitialspace=True)
        rows = (row for row in lines if "".join(row).strip())
        header = [name.strip() for name in next(rows)]
        twice = [name for name, times in Counter(header).items() if name and times > 1]
        if twice:
            raise ValueError(f"{path} has the column {twice[0]} twice; drop or rename one of them")
        for row in rows:
            if len(row) < num_columns:
                raise ValueError(
                    f"{path}: line {lines.line_num} has {len(row)} cells, the header "
                    f"{num_columns}; look whether the file was cut off"
                )
