"""Small records with soft masks, and the masks that they are made of."""

import cv2
import numpy as np

from tests.pipeline.make_records import COLUMNS, ROWS
from tfptx.records import build

KINDS = ("soft", "black and white", "black", "faint")


def grey_of(index):
    """The mask of an image: of each of KINDS in turn, and no two soft ones alike."""
    match KINDS[index % len(KINDS)]:
        case "soft":
            grey = np.random.default_rng(index).integers(0, 256, (ROWS, COLUMNS), np.uint8)
            return cv2.GaussianBlur(grey, (0, 0), 2) // 2 * 2 + np.uint8(index % 2)
        case "black and white":
            grey = np.zeros((ROWS, COLUMNS), np.uint8)
            grey[10:40, 20 : 30 + index] = 255
            return grey
        case "black":
            return np.zeros((ROWS, COLUMNS), np.uint8)
        case _:
            return np.full((ROWS, COLUMNS), 127, np.uint8)


def build_soft_records(folder, count, out="records", **options):
    """Records of images of noise, called soft00 and so on, with the masks of `grey_of`."""
    random = np.random.default_rng(1)
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    for index in range(count):
        image = random.integers(0, 256, (ROWS, COLUMNS), np.uint8)
        cv2.imwrite(str(folder / "images" / f"soft{index:02d}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"soft{index:02d}.png"), grey_of(index))
    build.build(
        folder / "images",
        folder / "masks",
        None,
        folder / out,
        build.Options(**{"num_folds": 3, "soft_masks": True, **options}),
        lambda share: None,
    )
    return folder / out
