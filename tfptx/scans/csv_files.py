"""This holds the reading of csv files as people write them: spaces, blank lines, cut-off rows."""

import csv
import sys
import warnings
from collections import Counter
from pathlib import Path

import pandas as pd


def read_columns(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a csv as stripped texts, empty where a cell is; header names are stripped too.

    Raises ValueError where the file is no csv, has a row with more or fewer cells than the header
    or a column twice, or lacks one of `columns`.
    """
    return read_lines(path, columns).reset_index(drop=True)


def read_lines(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Do as `read_columns`, indexed by the lines of the file, counted from 1."""
    try:
        with warnings.catch_warnings():
            # pandas drops the cells past the header with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path,
                dtype=str,
                index_col=False,
                keep_default_na=False,
                skipinitialspace=True,
                skip_blank_lines=False,
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
    stripped = pd.DataFrame({name: table[name].str.strip() for name in table.columns})
    # Line 1 is the header; a blank line counts, but is no row.
    stripped.index += 2
    return stripped[(stripped != "").any(axis=1)]


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
