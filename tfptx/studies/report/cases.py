"""This holds the cases: which images a report shows at an operating point."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tfptx.operating_point import grid, kinds, rule, score
from tfptx.operating_point import outcomes as outcomes_of_images
from tfptx.operating_point.cells import CountCells
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.tables import Point
from tfptx.studies.report import drawing, previews
from tfptx.studies.report.collection import Collection


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


def _outcomes(index: int, maps: Maps, counted: Counts, point: Point) -> pd.DataFrame:
    any_size = grid.joint((point.rule.bottom_threshold,), (0,), point.size_px)
    cells = kinds.cells(
        [maps], [counted], grid.of_cell(point.cell, point.size_px), lambda share: None
    )
    mask_px, overlap_px = cells.at((0,) * len(point.cell))
    over_px, _ = CountCells([counted], any_size).at((0, 0))
    truth_px = cells.images.truth_px
    return pd.DataFrame(
        {
            "folder": index,
            "position": np.arange(len(maps)),
            "image_id": maps.index["image_id"].to_numpy(),
            "dice": score.dice_of_counts(overlap_px, mask_px, truth_px),
            "truth_px": truth_px,
            "mask_px": mask_px,
            "over_px": over_px,
            "outcome": outcomes_of_images.names(mask_px, truth_px),
        }
    )


def _case(collection: Collection, row: "pd.Series[Any]", point: Point) -> Case:
    maps, position = collection.maps[row["folder"]], int(row["position"])
    truth, levels = maps.truth(position), maps.levels(position)
    mask = rule.mask_of_levels(levels, point.rule, maps.presence[position])
    drawn = drawing.draw(previews.read(maps, position), truth, mask)
    return Case(
        image_id=str(row["image_id"]),
        outcome=row["outcome"],
        dice=float(row["dice"]),
        truth_share=float(truth.mean()),
        mask_share=float(mask.mean()),
        subject=subject(maps.index.iloc[position]),
        drawing=drawing.jpeg(drawn),
    )


def subject(row: "pd.Series[Any]") -> str:
    """What is known of the patient and the view, in words."""
    age = "" if pd.isna(row["age"]) else f"{row['age']:.0f} years"
    return ", ".join(part for part in (row["view"], row["sex"], age) if part)
