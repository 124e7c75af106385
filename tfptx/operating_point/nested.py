"""This holds the nested choice: a point chosen on all parts but one and judged on that one.

A point that is picked on the data that it is scored on looks better than it is; over all parts, the
nested score is that of the picking itself (Varma & Simon 2006, BMC Bioinformatics 7:91).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import choice
from tfptx.operating_point.cells import Cells, Images
from tfptx.operating_point.choice import Flags, Floats
from tfptx.operating_point.grid import Index
from tfptx.operating_point.surface import Surface

NUM_PARTS = 5  # where folds don't part the patients


@dataclass(frozen=True, eq=False)
class Nested:
    """One row of `choices` a part, and the Dice of each of N images.

    A row has the part, its number of images, the cell that was chosen on the others, the mean Dice
    there, `chosen_dice`, and on the part, `judged_dice`; cell and scores are unknown where no cell
    is allowed on the others. `dice` is that of the cell that was chosen without the image, None if
    a part has no such cell: a score of the other parts alone would be one of other images.
    """

    choices: list[dict[str, Any]]
    dice: Floats | None


def parts(images: Images, seed: int) -> NDArray[np.int64]:
    """The part of each image: its fold or, where folds don't part the patients, a fifth of these.

    That is where all images are of one fold, and where a patient stands in several, as in maps from
    elsewhere: a point would then be judged on patients that it was chosen on.
    """
    patients, patient_of = np.unique(images.patient_ids, return_inverse=True)
    num_pairs = len(np.unique([patient_of, images.folds], axis=1).T)
    if len(np.unique(images.folds)) > 1 and num_pairs == len(patients):
        return images.folds
    shuffled = np.random.default_rng(seed).permutation(len(patients))
    return (shuffled % NUM_PARTS)[patient_of]


def views(parts: NDArray[np.int64]) -> list[Flags]:
    """For each part the images of all others; none where there is but one part."""
    distinct = np.unique(parts)
    return [parts != part for part in distinct] if len(distinct) > 1 else []


def judge(
    cells: Cells,
    parts: NDArray[np.int64],
    chosen: Sequence[Index | None],
    surfaces: Sequence[Surface],
) -> Nested:
    """Judge the cells that were chosen on `views`, each with the surface there."""
    dice, choices = np.empty(len(cells.images)), []
    for part, index, surface in zip(np.unique(parts), chosen, surfaces, strict=True):
        is_part = parts == part
        cell: dict[str, Any] = dict.fromkeys(cells.grid.axes)
        chosen_dice = judged_dice = np.nan
        if index is not None:
            cell = cells.grid.cell(index)
            dice[is_part] = choice.dice(cells.at(index), cells.images.truth_px)[is_part]
            chosen_dice = float(surface.figures["mean_dice"][index])
            judged_dice = float(dice[is_part].mean())
        choices.append(
            {
                "part": int(part),
                "num_images": int(is_part.sum()),
                **cell,
                "chosen_dice": chosen_dice,
                "judged_dice": judged_dice,
            }
        )
    return Nested(choices, None if None in chosen else dice)
