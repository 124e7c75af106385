"""This holds the probability maps on disk: levels, index and truth of many images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx import files
from tfptx.operating_point import rule
from tfptx.scans import csv_files, rle

SCHEMA = 1
NAME = "maps.json"
LEVELS = "levels.npy"
INDEX = "index.csv"
PREVIEWS = "previews"

# Maps that something else than predict-maps made may leave all of these out.
_NO_SOURCE: dict[str, Any] = {
    "runs": [],
    "stage": None,
    "size_px": None,
    "flip": False,
    "fused": False,
    "overlap": None,
    "records": None,
    "counts_only": False,
    "environment": {},
}
WHOLE_NUMBERS = ("fold", "rows", "columns", "offset")
REQUIRED = ("image_id", "patient_id", *WHOLE_NUMBERS, "truth_rle")
SUBGROUP_TEXTS = ("view", "sex")
SUBGROUP_NUMBERS = ("age", "spacing_mm")
PRESENCE = "presence"  # the network's probability of any mask, where it has that head
# How maps are made of what networks say, which maps that are taken as one must share.
MANNER = ("stage", "size_px", "flip", "fused", "overlap", "records")


@dataclass(frozen=True, eq=False)
class Maps:
    """The maps of a folder, in the order of `index`, its csv; `source` is its maps.json."""

    folder: Path
    index: pd.DataFrame
    source: dict[str, Any]
    flat_levels: NDArray[np.uint16] | None  # None where the counts alone were kept

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The rows of each map."""
        return self.index["rows"].to_numpy(np.int64)

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The columns of each map."""
        return self.index["columns"].to_numpy(np.int64)

    @cached_property
    def presence(self) -> NDArray[np.float32]:
        """The probability that each image has any mask, NaN where no network said so."""
        return self.index[PRESENCE].to_numpy(np.float32)

    def levels(self, position: int) -> NDArray[np.uint16]:
        """The levels, rows x columns, 0 to rule.LEVELS; a read-only view of the file.

        Raises ValueError where the counts alone were kept.
        """
        if self.flat_levels is None:
            raise ValueError(
                f"{self.folder} holds counts without maps, and this needs the pixels; make it anew "
                "with predict-maps without --counts-only"
            )
        rows, columns = self.rows[position], self.columns[position]
        start = self.index["offset"].iloc[position]
        return self.flat_levels[start : start + rows * columns].reshape(rows, columns)

    def truth_runs(self, position: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The starts and lengths of the true mask as `rle.parse` gives them.

        Raises ValueError where the image has no truth, or one that is no mask of it.
        """
        row = self.index.iloc[position]
        if not row["truth_rle"]:
            raise ValueError(f"{self.folder}: {row['image_id']} has no truth; it was not annotated")
        try:
            return rle.parse(row["truth_rle"], row["rows"], row["columns"])
        except ValueError as error:
            raise ValueError(f"{self.folder / INDEX}: {row['image_id']}: {error}") from error

    def truth(self, position: int) -> NDArray[np.bool_]:
        """The true mask, rows x columns. Raises ValueError as `truth_runs` does."""
        runs = self.truth_runs(position)
        return rle.from_runs(*runs, int(self.rows[position]), int(self.columns[position]))


def read(folder: Path) -> Maps:
    """Open a folder of maps; levels stay on disk until they are asked for.

    Raises ValueError where it holds no maps, those of another schema version, or files that don't
    belong together.
    """
    if not (folder / NAME).is_file():
        raise ValueError(f"no maps at {folder}: {NAME} is missing; make them with predict-maps")
    source = _NO_SOURCE | files.read_json(folder / NAME, SCHEMA)
    index = _read_index(folder / INDEX)
    levels = None if source["counts_only"] else _open_levels(folder / LEVELS, index)
    return Maps(folder, index, source, levels)


def read_several(folders: Sequence[Path]) -> list[Maps]:
    """Open folders of maps that are to be one collection, as the folds of a run are.

    Raises ValueError as `read` does, and where they differ in source or share an image.
    """
    several = [read(folder) for folder in folders]
    first, *others = several
    for other in others:
        # Not the runs: each fold's maps come from the networks that held that fold out.
        for key in MANNER:
            if other.source[key] != first.source[key]:
                raise ValueError(
                    f"{first.folder} has {key} {first.source[key]!r}, {other.folder} "
                    f"{other.source[key]!r}; join maps of one study only"
                )
    ids = pd.concat([maps.index["image_id"] for maps in several])
    if ids.duplicated().any():
        raise ValueError(
            f"{ids.duplicated().sum()} images are in more than one of these maps, as "
            f"{ids[ids.duplicated()].iloc[0]}; give each image once"
        )
    return several


def refuse_beyond_levels(highest: int, image_id: str) -> None:
    """Raise ValueError where the highest level of a map is none."""
    if highest > rule.LEVELS:
        raise ValueError(f"{image_id} has the level {highest}; levels are 0 to {rule.LEVELS}")


def _read_index(path: Path) -> pd.DataFrame:
    index = csv_files.read_columns(path, REQUIRED)
    try:
        for name in WHOLE_NUMBERS:
            index[name] = index[name].astype(np.int64)
        for name in (*SUBGROUP_NUMBERS, PRESENCE):
            index[name] = pd.to_numeric(index.get(name, pd.Series(np.nan, index.index)))
    except ValueError as error:
        raise ValueError(f"{path}: {name} holds something else than numbers: {error}") from error
    for name in SUBGROUP_TEXTS:
        if name not in index.columns:
            index[name] = ""
    if index.empty:
        raise ValueError(f"{path} lists no image")
    if not index[PRESENCE].dropna().between(0, 1).all():
        raise ValueError(f"{path}: a presence is a probability, from 0 to 1")
    if (index[["rows", "columns"]] < 1).any(axis=None):
        raise ValueError(f"{path}: rows and columns are at least 1")
    twice = index["image_id"][index["image_id"].duplicated()]
    if len(twice):
        raise ValueError(f"{path} lists {twice.iloc[0]} twice")
    return index


def _open_levels(path: Path, index: pd.DataFrame) -> NDArray[np.uint16]:
    try:
        levels = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise ValueError(f"no levels at {path}; make the maps anew") from error
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no whole NumPy file: {error}; make the maps anew") from error
    if levels.dtype != np.uint16 or levels.ndim != 1:
        raise ValueError(
            f"{path} is {levels.dtype} with {levels.ndim} axes; levels are uint16 on one axis"
        )
    ordered = index.sort_values("offset")
    areas = (ordered["rows"] * ordered["columns"]).to_numpy()
    if (np.cumsum(areas) - areas != ordered["offset"]).any() or areas.sum() != len(levels):
        raise ValueError(
            f"{path} has {len(levels)} pixels, {INDEX} lists {areas.sum()}, maybe with gaps: they "
            "don't belong together, make the maps anew"
        )
    return np.asarray(levels)
