"""This holds the cases: which images a report shows at an operating point, and their drawing."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx.operating_point import grid, kinds, rule, score
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.cells import CountCells
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.tables import Point
from tfptx.serving import overlay
from tfptx.studies.report.collection import Collection

SIDE_PX = 512  # of a drawing's longer side
TRUTH = (233, 180, 86)  # Okabe and Ito's sky blue, as OpenCV's blue, green, red
LINE_PX = 2
BORDER_PX = 1  # dark, on either side of a dash
DASH_PX, GAP_PX = 9, 6
PLAIN_GREY = 48  # where the maps came without previews
# Colour at full resolution: at half of it, which is usual, thin lines turn grey.
JPEG = (
    *(cv2.IMWRITE_JPEG_QUALITY, 88),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)


@dataclass(frozen=True)
class Gallery:
    """One kind of case: the key of `outcome`, and by which column the first ones are chosen."""

    outcome: str
    title: str
    meaning: str
    column: str
    ascending: bool


GALLERIES = (
    Gallery("FN", "Missed", "the largest that got an empty mask", "truth_px", False),
    Gallery("FP", "False alarms", "the largest masks where there is none", "mask_px", False),
    Gallery("TP", "Worst outlines", "found, with the lowest Dice", "dice", True),
    Gallery("TP", "Best outlines", "found, with the highest Dice", "dice", False),
    Gallery("TN", "Nearest to an alarm", "rightly empty, with most pixels over", "over_px", False),
)


@dataclass(frozen=True)
class Case:
    """An image of a gallery: what the page says of it, and its drawing as JPEG."""

    image_id: str
    outcome: str
    dice: float
    truth_share: float
    mask_share: float
    subject: str
    drawing: bytes


def outcomes(collection: Collection, point: Point) -> pd.DataFrame:
    """What a point makes of each image, one row each.

    `folder` and `position` say which map it is; `dice`, pixels `truth_px`, `mask_px` and
    `over_px`, those that reach the threshold whether or not they are enough; `outcome` TP, FP, FN
    or TN, an image being positive where its mask is not empty.
    """
    pairs = zip(collection.maps, collection.counted, strict=True)
    return pd.concat(
        [_outcomes(i, maps, counted, point) for i, (maps, counted) in enumerate(pairs)],
        ignore_index=True,
    )


def tally(table: pd.DataFrame) -> dict[str, int]:
    """How many images have each outcome."""
    return {
        outcome: int((table["outcome"] == outcome).sum()) for outcome in ("TP", "FP", "FN", "TN")
    }


def pick(table: pd.DataFrame, gallery: Gallery, count: int) -> pd.DataFrame:
    """The first images of a gallery. Half of the found ones at most, so that none is in both."""
    chosen = table[table["outcome"] == gallery.outcome]
    if gallery.column == "dice":
        count = min(count, (len(chosen) + gallery.ascending) // 2)
    if gallery.column == "over_px":
        chosen = chosen[chosen["over_px"] > 0]
    ordered = chosen.sort_values([gallery.column, "image_id"], ascending=[gallery.ascending, True])
    return ordered.head(count)


def galleries(
    collection: Collection, table: pd.DataFrame, point: Point, count: int
) -> list[tuple[Gallery, list[Case]]]:
    """Up to `count` drawn cases of each gallery."""
    return [
        (
            gallery,
            [_case(collection, row, point) for _, row in pick(table, gallery, count).iterrows()],
        )
        for gallery in GALLERIES
    ]


def draw(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The radiograph, uint8 rows x columns, with the mask outlined and the truth dashed over it.

    Gives uint8 of the same rows and columns x 3 in OpenCV's order.
    """
    small = resized(mask, image.shape)
    drawn = overlay.draw(image, small)
    # The overlay's own line is one pixel wide here, and lost where a page shows it at half size.
    cv2.drawContours(drawn, _outlines(small), -1, overlay.ORANGE, LINE_PX)
    for outline in _outlines(resized(truth, image.shape)):
        closed = np.concatenate([outline, outline[:1]])
        for start in range(0, len(closed), DASH_PX + GAP_PX):
            dash = closed[start : start + DASH_PX]
            cv2.polylines(drawn, [dash], False, overlay.BLACK, LINE_PX + 2 * BORDER_PX)
            cv2.polylines(drawn, [dash], False, TRUTH, LINE_PX)
    return drawn


def _outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return list(found)


def _outcomes(index: int, maps: Maps, counted: Counts, point: Point) -> pd.DataFrame:
    any_size = grid.joint((point.rule.bottom_threshold,), (0,), point.size_px)
    cells = kinds.cells(
        [maps], [counted], grid.of_cell(point.cell, point.size_px), lambda share: None
    )
    mask_px, overlap_px = cells.at((0,) * len(point.cell))
    over_px, _ = CountCells([counted], any_size).at((0, 0))
    truth_px = cells.images.truth_px
    is_positive, is_found = truth_px > 0, mask_px > 0
    return pd.DataFrame(
        {
            "folder": index,
            "position": np.arange(len(maps)),
            "image_id": maps.index["image_id"].to_numpy(),
            "dice": score.dice_of_counts(overlap_px, mask_px, truth_px),
            "truth_px": truth_px,
            "mask_px": mask_px,
            "over_px": over_px,
            "outcome": np.select(
                [is_positive & is_found, is_found, is_positive], ["TP", "FP", "FN"], "TN"
            ),
        }
    )


def _case(collection: Collection, row: "pd.Series[Any]", point: Point) -> Case:
    maps, position = collection.maps[row["folder"]], int(row["position"])
    truth, levels = maps.truth(position), maps.levels(position)
    mask = rule.mask_of_levels(levels, point.rule, maps.presence[position])
    drawn = draw(preview(maps, position), truth, mask)
    encoded = cv2.imencode(".jpg", drawn, JPEG)[1]
    return Case(
        image_id=str(row["image_id"]),
        outcome=row["outcome"],
        dice=float(row["dice"]),
        truth_share=float(truth.mean()),
        mask_share=float(mask.mean()),
        subject=subject(maps.index.iloc[position]),
        drawing=bytes(encoded),
    )


def subject(row: "pd.Series[Any]") -> str:
    """What is known of the patient and the view, in words."""
    age = "" if pd.isna(row["age"]) else f"{row['age']:.0f} years"
    return ", ".join(part for part in (row["view"], row["sex"], age) if part)


def preview_path(folder: Path, image_id: str) -> Path:
    """Where the small radiograph of an image lies, if it was kept."""
    return folder / maps_on_disk.PREVIEWS / f"{image_id}.jpg"


def data_uri(content: bytes, kind: str) -> str:
    """An image file of a kind, as png, in the page itself."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def preview(maps: Maps, position: int) -> NDArray[np.uint8]:
    """The radiograph at a drawing's size, or a plain grey where the maps came without it."""
    rows, columns = int(maps.rows[position]), int(maps.columns[position])
    scale = SIDE_PX / max(rows, columns)
    size = (max(1, round(scale * columns)), max(1, round(scale * rows)))
    path = preview_path(maps.folder, str(maps.index["image_id"].iloc[position]))
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if image is None:
        return np.full(size[::-1], PLAIN_GREY, np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def resized(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask at a drawing's size; what is smaller than a pixel there still shows."""
    interpolation = cv2.INTER_AREA if mask.size > shape[0] * shape[1] else cv2.INTER_NEAREST
    small = cv2.resize(mask.astype(np.float32), shape[1::-1], interpolation=interpolation)
    is_set = small >= min(0.5, float(small.max()))
    return np.asarray(is_set & (small > 0))
