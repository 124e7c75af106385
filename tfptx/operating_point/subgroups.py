"""This holds subgroups: what a point scores on parts of the images that a reader asks after."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfptx.operating_point import estimates, maps
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.intervals import Bootstrap
from tfptx.scans import csv_files

Series = Any  # a column of a table
Groups = dict[str, Series]  # by name which images are in

UNKNOWN = "unknown"
MAX_VALUES = 12  # a column of more numbers is cut at its quartiles
_AGES = (0, 18, 40, 60, 80)  # years
_SIZES_PX = (0, 2000, 8000)  # of an image of SIZE_PX squared
SIZE_PX = 1024
_OWN = ("view", "sex", "age")  # columns of the maps that have strata of their own
_FILLED = (*maps.SUBGROUP_TEXTS, *maps.SUBGROUP_NUMBERS)


@dataclass(frozen=True)
class Subgroup:
    """Some images: the column and its value, their numbers, their figures by `score.FIGURES`."""

    column: str
    value: str
    num_images: int
    num_positives: int
    figures: dict[str, Estimate]


def add_columns(outcomes: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Join the columns of a csv to outcomes by its first one, image ids; give the new names too.

    View, sex, age and spacing are filled where the maps know them of no image.
    Raises ValueError where the csv has no further column, says of a column of the maps something
    else than these, names an image twice or none of these.
    """
    table = csv_files.read_columns(path, ())
    key, *names = table.columns
    filled = [name for name in names if name in _FILLED and _is_unknown(outcomes[name])]
    shared = [name for name in names if name in outcomes.columns and name not in filled]
    new = [name for name in names if name not in shared]
    if not new:
        raise ValueError(f"{path} needs image ids and another column that the maps don't have")
    if table[key].duplicated().any():
        raise ValueError(f"{path} names {table[key][table[key].duplicated()].iloc[0]} twice")
    if not table[key].isin(outcomes["image_id"]).any():
        raise ValueError(f"{path} has none of the images; its first is {table[key].iloc[0]}")
    indexed, known = table.set_index(key), outcomes.set_index("image_id")
    clashes = [name for name in shared if _differs(known[name], indexed[name])]
    if clashes:
        raise ValueError(
            f"{path} says of {', '.join(clashes)} something else than the maps; rename or drop the "
            "column"
        )
    for name in set(filled) & set(maps.SUBGROUP_NUMBERS):
        indexed[name] = _numbers(indexed[name], path)
    joined = outcomes.drop(columns=filled).join(indexed[new], on="image_id")
    return joined, [name for name in new if name not in _OWN]


def _differs(known: Series, given: Series) -> bool:
    """Whether both know a value of an image, and not the same."""
    if pd.api.types.is_numeric_dtype(known):
        given = pd.to_numeric(given, errors="coerce")
    both: pd.DataFrame = (
        pd.concat([known, given], axis=1, join="inner").replace("", np.nan).dropna()
    )
    return bool((both.iloc[:, 0] != both.iloc[:, 1]).any())


def _is_unknown(values: Series) -> bool:
    return bool((values.isna() | (values == "")).all())


def _numbers(texts: Series, path: Path) -> Series:
    try:
        return pd.to_numeric(texts.replace("", np.nan))
    except ValueError as error:
        raise ValueError(
            f"{path}: {texts.name} holds something else than numbers: {error}"
        ) from error


def find(outcomes: pd.DataFrame, names: list[str], num_resamples: int, seed: int) -> list[Subgroup]:
    """The subgroups by view, sex, age, true mask and further columns.

    `outcomes` are those of `outcomes.table`.
    """
    return [
        _subgroup(column, value, outcomes[is_member], num_resamples, seed)
        for column, groups in parted(outcomes, names).items()
        for value, is_member in groups.items()
    ]


def parted(images: pd.DataFrame, names: list[str]) -> dict[str, Groups]:
    """Which images are in each subgroup, by column and value.

    `images` have view, sex, age, truth_px, rows, columns and the further columns `names`. The size
    of the true mask is that of positive images. A column in which all images are alike is left out.
    """
    scaled_px = images["truth_px"] * SIZE_PX**2 / (images["rows"] * images["columns"])
    # An empty mask has no size; one of a few pixels of a large image has one below 1.
    scaled_px = scaled_px.where(images["truth_px"] > 0, -1)
    columns = {
        "view": _by_text(images["view"]),
        "sex": _by_text(images["sex"]),
        "age": _by_band(images["age"], _AGES, "years"),
        "true mask": _by_band(scaled_px, _SIZES_PX, f"px at {SIZE_PX}"),
        **{name: _by_any(images[name]) for name in names},
    }
    return {column: groups for column, groups in columns.items() if len(groups) > 1}


def _subgroup(
    column: str, value: str, images: pd.DataFrame, num_resamples: int, seed: int
) -> Subgroup:
    truth_px = images["truth_px"].to_numpy()
    drawn = Bootstrap(images["patient_id"].tolist(), num_resamples, seed)
    distributions = estimates.figures(
        drawn, images["dice"].to_numpy(), images["predicted_px"].to_numpy(), truth_px
    )
    figures = {name: estimates.estimate(each) for name, each in distributions.items()}
    return Subgroup(column, value, len(images), int((truth_px > 0).sum()), figures)


def _by_text(values: Series) -> Groups:
    """The images of each text, the unknown ones last."""
    texts = values.fillna("").astype(str)
    groups = {text: texts == text for text in sorted(set(texts) - {""})}
    return _with_unknown(groups, texts == "")


def _by_band(values: Series, edges: Sequence[float], unit: str) -> Groups:
    """The images of each band from one edge to the next; what lies below the first is in none."""
    groups = {}
    for low, high in zip(edges, (*edges[1:], np.inf), strict=True):
        groups[_band_name(low, high, edges[0], unit)] = (values >= low) & (values < high)
    return _with_unknown({name: each for name, each in groups.items() if each.any()}, values.isna())


def _band_name(low: float, high: float, first: float, unit: str) -> str:
    with_unit = f" {unit}" if unit else ""
    if np.isinf(high):
        return f"{low:g}{with_unit} and more"
    if low == first:
        return f"under {high:g}{with_unit}"
    return f"{low:g} to under {high:g}{with_unit}"


def _by_any(values: Series) -> Groups:
    """The images of each text or, where there are many numbers, of each quarter of them."""
    numbers = pd.to_numeric(values.replace("", np.nan), errors="coerce")
    is_number = bool((numbers.notna() | (values.fillna("") == "")).all())
    if not is_number or numbers.nunique() <= MAX_VALUES:
        return _by_text(values)
    edges = sorted(set(numbers.quantile([0, 0.25, 0.5, 0.75])))
    return _by_band(numbers, edges, "")


def _with_unknown(groups: Groups, is_unknown: Series) -> Groups:
    return groups | ({UNKNOWN: is_unknown} if is_unknown.any() else {})
