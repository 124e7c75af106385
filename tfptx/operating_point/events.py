"""This holds the events of a collection: where a probability was said, and whether it came true.

They are pixels, of which an image has many, and images, whose probability is the largest of theirs.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx.operating_point import calibration, counts, rule
from tfptx.operating_point.calibration import Events
from tfptx.operating_point.counts import Counts

ByKind = dict[str, list[Events]]  # pixel and image; of each part of the images


def by_kind(counted: Sequence[Counts], images: pd.DataFrame, parts: NDArray[np.int64]) -> ByKind:
    """The events of both kinds; `images` as `outcomes.of_counts`, `parts` which part each is of."""
    return {"pixel": _pixel_events(counted, parts), "image": _image_events(images, parts)}


def tabulated(events: ByKind, make: Callable[[list[Events]], pd.DataFrame]) -> pd.DataFrame:
    """The tables that are made of each kind, one below the other, with a column `kind`."""
    tables = [make(each).assign(kind=kind) for kind, each in events.items()]
    return pd.concat(tables, ignore_index=True)


def reliability(parts: list[Events]) -> pd.DataFrame:
    """The `calibration.reliability` of all parts together."""
    return calibration.reliability(calibration.joined(parts))


def _pixel_events(counted: Sequence[Counts], parts: NDArray[np.int64]) -> list[Events]:
    """Of each part how many pixels have each probability, and how many of them are true."""
    probability = np.arange(counts.NUM_BINS) / rule.LEVELS
    total = {part: np.zeros((2, counts.NUM_BINS)) for part in np.unique(parts)}
    entries = (entry for each in counted for entry in each.levels_px)
    for part, entry in zip(parts, entries, strict=True):
        total[part] += entry
    return [Events(probability, *both) for both in total.values()]


def _image_events(images: pd.DataFrame, parts: NDArray[np.int64]) -> list[Events]:
    """Of each part the largest probability of each image, and whether it is positive."""
    is_positive = (images["truth_px"] > 0).to_numpy(np.float64)
    scores = images["image_score"].to_numpy()
    return [
        Events(scores[parts == part], np.ones((parts == part).sum()), is_positive[parts == part])
        for part in np.unique(parts)
    ]
