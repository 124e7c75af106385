"""This holds the explorer: what its script needs to score any pair or triplet, and to draw it.

The numbers are exact: of each image the pixels at or over each threshold, in all and in the truth.
The pictures are previews: small, of 255 steps of probability.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import grid, rule
from tfptx.operating_point.cells import CountCells
from tfptx.operating_point.tables import Point
from tfptx.studies.report import cases, packing
from tfptx.studies.report.collection import Collection
from tfptx.studies.report.tables import NAMES, Swept

NUM_CASES = 3  # of each kind and collection
LAYER_PX = 256  # of the longer side of what a case is drawn from
STEPS = 255  # of a drawn probability
_THRESHOLDS = tuple(round(0.01 * i, 2) for i in range(1, 100))
_NUM_SIZES = 80  # of steps at least, which are round numbers of pixels
_ROUND = tuple(digit * 10**power for power in range(7) for digit in (1, 2, 5))
_SIZES_SHARE = 1 / 256  # of an image, up to which smallest masks go: 4,096 px of 1,024 squared
# Of a sweep's axis with more values than these, the point's alone becomes a step of a slider.
_MAX_OF_SWEEP = 201


def content(collections: Sequence[Collection], sweeps: Sequence[Swept], main: Swept) -> Any:
    """What stands in the page as JSON for explorer.js, at pixels of the main sweep's `size_px`."""
    explorable = _explorable(sweeps, main)
    thresholds, sizes = _steps(explorable, main.point.size_px)
    return {
        "size_px": main.point.size_px,
        "levels": [rule.level_of(each) for each in thresholds],
        "sizes": sizes,
        "points": [_point(each, thresholds, sizes) for each in explorable],
        "collections": [_collection(each, thresholds, main.point) for each in collections],
    }


def _explorable(sweeps: Sequence[Swept], main: Swept) -> list[Swept]:
    """The sweeps whose point sliders can be set to, the main one first.

    Counts know nothing of components, and pixels that belong to images of another size would be
    other masks.
    """
    found = [
        each
        for each in sweeps
        if each.kind in {"threshold", "joint", "triplet"}
        and each.point.size_px == main.point.size_px
    ]
    return sorted(found, key=lambda each: each is not main)


def _steps(sweeps: Sequence[Swept], size_px: int) -> tuple[list[float], list[int]]:
    """The steps of the sliders: regular ones, those of the sweeps' grids and their points."""
    thresholds, sizes = set(_THRESHOLDS), set()
    for each in sweeps:
        axes = each.origin["axes"]
        for name in ("threshold", "top_threshold", "bottom_threshold"):
            thresholds |= _unless_many(axes.get(name, ()))
        for name in ("min_pixels", "area_px"):
            sizes |= _unless_many(axes.get(name, ()))
        point = each.point.rule
        thresholds |= {point.top_threshold, point.bottom_threshold}
        sizes.add(point.area_px)
    largest = max(*sizes, round(size_px**2 * _SIZES_SHARE), 1)
    step = max(each for each in _ROUND if each == 1 or each * _NUM_SIZES <= largest)
    sizes |= set(range(0, largest + 1, step))
    return sorted(thresholds), sorted(sizes)


def _unless_many(values: Sequence[Any]) -> set[Any]:
    return set(values) if len(values) <= _MAX_OF_SWEEP else set()


def _point(swept: Swept, thresholds: list[float], sizes: list[int]) -> dict[str, Any]:
    """The place of a point on the sliders."""
    cell = swept.point.rule
    return {
        "name": NAMES[swept.kind],
        "kind": "triplet" if swept.kind == "triplet" else "pair",
        "top": thresholds.index(cell.top_threshold),
        "bottom": thresholds.index(cell.bottom_threshold),
        "size": sizes.index(cell.area_px),
    }


def _collection(each: Collection, thresholds: list[float], point: Point) -> dict[str, Any]:
    cells = CountCells(each.counted, grid.joint(tuple(thresholds), (0,), point.size_px))
    reached = np.empty((len(thresholds), 2, len(cells.images)), np.int64)
    for places, predicted, overlap in cells.blocks():
        reached[places, 0], reached[places, 1] = predicted.T, overlap.T
    images = cells.images
    return {
        "name": each.name,
        "is_chosen_on": each.is_chosen_on,
        "num_images": len(images),
        "truth_px": packing.numbers(images.truth_px),
        "area_px": packing.numbers(images.rows * images.columns),
        "counts": packing.numbers(steps_of(reached)),
        **_cases(each, point),
    }


def steps_of(reached: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pixels between a threshold and the next one up, false and true ones.

    `reached` are those at or over each threshold, all and true ones: thresholds x 2 x N.
    """
    between = reached - np.concatenate([reached[1:], np.zeros_like(reached[:1])])
    return np.stack([between[:, 0] - between[:, 1], between[:, 1]], axis=1)


def _cases(each: Collection, point: Point) -> dict[str, Any]:
    """The sample cases with their pictures, and what their masks are drawn from."""
    if not each.has_pixels:
        return {"cases": [], "layers": packing.octets(b"")}
    table = cases.outcomes(each, point)
    starts = np.cumsum([0, *map(len, each.maps)])
    rows, layers = [], []
    for gallery in cases.GALLERIES:
        for _, row in cases.pick(table, gallery, NUM_CASES).iterrows():
            maps, position = each.maps[row["folder"]], int(row["position"])
            levels = _small(maps.levels(position))
            truth = cases.resized(maps.truth(position), levels.shape)
            layers += [levels.tobytes(), truth.astype(np.uint8).tobytes()]
            rows.append(
                {
                    "image": int(starts[row["folder"]]) + position,
                    "id": str(row["image_id"]),
                    "subject": cases.subject(maps.index.iloc[position]),
                    "rows": levels.shape[0],
                    "columns": levels.shape[1],
                    "picture": _picture(maps.folder, str(row["image_id"])),
                }
            )
    return {"cases": rows, "layers": packing.octets(b"".join(layers))}


def _small(levels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The probability of a small picture in STEPS."""
    scale = min(1.0, LAYER_PX / max(levels.shape))
    size = [max(1, round(scale * side)) for side in reversed(levels.shape)]
    small = cv2.resize(levels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(small * (STEPS / rule.LEVELS)), np.uint8)


def _picture(folder: Path, image_id: str) -> str | None:
    path = cases.preview_path(folder, image_id)
    return cases.data_uri(path.read_bytes(), "jpeg") if path.is_file() else None
