"""This holds the reading of folds that somebody else has drawn."""

from pathlib import Path

import pandas as pd

from tfptx.scans import image_ids
from tfptx.scans.csv_files import read_columns
from tfptx.scans.folds import TEST

ID_COLUMNS = ("image_id", "ImageId")
FOLD_COLUMN = "fold"
MAX_DIGITS = 3  # an id in the place of a fold is no fold
TEST_TEXTS = frozenset({"test", str(TEST)})


def read(path: Path) -> dict[str, int]:
    """Read image ids and folds: the columns named so, `examples.csv` too, else the first two.

    A fold is a number from 0, or `test`; an image with any other text has none. Raises ValueError
    where a column is missing, a number is left out below the largest, or an image has two folds.
    """
    table = read_columns(path, ())
    names = _column(path, table, ID_COLUMNS, 0)
    texts = _column(path, table, (FOLD_COLUMN,), 1)
    found: dict[str, int] = {}
    for name, text in zip(names, texts, strict=True):
        image_id, fold = image_ids.of(name), _fold(text)
        if fold is None:
            continue
        if found.setdefault(image_id, fold) != fold:
            raise ValueError(f"{path} gives {image_id} two folds: {found[image_id]} and {fold}")
    folds = set(found.values()) - {TEST}
    missing = set(range(max(folds, default=-1) + 1)) - folds
    if len(folds) < 2 or missing:
        raise ValueError(
            f"{path} has the folds {', '.join(map(str, sorted(folds))) or 'none'}; give two or "
            "more, numbered from 0 without a gap"
        )
    return found


def _column(path: Path, table: pd.DataFrame, names: tuple[str, ...], position: int) -> pd.Series:
    named = next((name for name in names if name in table.columns), None)
    if named is None and len(table.columns) < 2:
        raise ValueError(f"{path} needs two columns: image id and fold")
    return table.iloc[:, position] if named is None else table[named]


def _fold(text: str) -> int | None:
    if text in TEST_TEXTS:
        return TEST
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
    return int(text) if is_number else None
