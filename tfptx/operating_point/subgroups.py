"""This holds subgroups: what a point scores on parts of the images that a reader asks after."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfptx.operating_point import estimates
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.intervals import Bootstrap
from tfptx.scans import annotations

Series = Any  # a column of a table
Groups = dict[str, Series]  # by name which images are in

UNKNOWN = "unknown"
MAX_VALUES = 12  # a column of more numbers is cut at its quartiles
_AGES = (0, 18, 40, 60, 80)  # years
_SIZES_PX = (1, 2000, 8000)  # of an image of SIZE_PX squared
SIZE_PX = 1024


@dataclass(frozen=True)
class Subgroup:
    """Some images: the column and its value, their numbers, their figures by `score.FIGURES`."""

    column: str
    value: str
    num_images: int
    num_positives: int
    figures: dict[str, Estimate]


def add_columns(outcomes: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Join the columns of a csv to outcomes by its first one, image ids; give their names too.

    Raises ValueError where the csv has no further column, names an image twice or none of these.
    """
    table = annotations.read_columns(path, ())
    key, *names = table.columns
    names = [name for name in names if name not in outcomes.columns]
    if not names:
        raise ValueError(f"{path} needs image ids and another column that the maps don't have")
    if table[key].duplicated().any():
        raise ValueError(f"{path} names {table[key][table[key].duplicated()].iloc[0]} twice")
    if not table[key].isin(outcomes["image_id"]).any():
        raise ValueError(f"{path} has none of the images; its first is {table[key].iloc[0]}")
    indexed = table.set_index(key)[names]
    return outcomes.join(indexed, on="image_id"), names


def find(outcomes: pd.DataFrame, names: list[str], num_resamples: int, seed: int) -> list[Subgroup]:
    """The subgroups by view, sex, age, true mask and further columns.

    `outcomes` are those of `outcomes.table`. The size of the true mask is that of positive images.
    A column in which all images are alike is left out.
    """
    scaled_px = outcomes["truth_px"] * SIZE_PX**2 / (outcomes["rows"] * outcomes["columns"])
    columns = {
        "view": _by_text(outcomes["view"]),
        "sex": _by_text(outcomes["sex"]),
        "age": _by_band(outcomes["age"], _AGES, "years"),
        "true mask": _by_band(scaled_px, _SIZES_PX, f"px at {SIZE_PX}"),
        **{name: _by_any(outcomes[name]) for name in names},
    }
    return [
        _subgroup(column, value, outcomes[is_member], num_resamples, seed)
        for column, groups in columns.items()
        if len(groups) > 1
        for value, is_member in groups.items()
    ]


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
        name = f"{low:g} {unit} and more" if np.isinf(high) else f"{low:g} to under {high:g} {unit}"
        groups[name] = (values >= low) & (values < high)
    return _with_unknown({name: each for name, each in groups.items() if each.any()}, values.isna())


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
