"""This holds what a viewer asks of cases: a list to filter and sort, and the pictures of each."""

from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx.operating_point import subgroups
from tfptx.studies.report import cases, packing


class Cases(Protocol):
    """Cases that can be browsed."""

    title: str
    detail: str  # of what they are, in a sentence
    rows: list[dict[str, Any]]

    def case(self, position: int) -> dict[str, Any]:
        """The pictures of a case, as `pictures` gives them."""


def rows(
    images: pd.DataFrame, kinds: list[str], dice: list[float | None], mask_px: list[int | None]
) -> list[dict[str, Any]]:
    """One row a case: id, kind, Dice, pixels of annotation and mask, and its subgroups by column.

    `images` have image_id, fold and what `subgroups.parted` asks for; truth_px is NaN where there
    is no annotation.
    """
    columns = {"fold": _folds(images["fold"]), **subgroups.parted(images, [])}
    labels = {
        column: np.select([flags.to_numpy() for flags in groups.values()], list(groups), "")
        for column, groups in columns.items()
    }
    return [
        {
            "id": str(image_id),
            "kind": kinds[i],
            "dice": dice[i],
            "truth": None if np.isnan(truth_px) else int(truth_px),
            "mask": mask_px[i],
            "subject": cases.subject(images.iloc[i]),
            "groups": {column: str(values[i]) for column, values in labels.items() if values[i]},
        }
        for i, (image_id, truth_px) in enumerate(
            zip(images["image_id"], images["truth_px"], strict=True)
        )
    ]


def pictures(
    truth: NDArray[np.bool_] | None,
    mask: NDArray[np.bool_] | None,
    steps: NDArray[np.uint8] | None,
    picture: str | None,
) -> dict[str, Any]:
    """What a case is drawn from: its layers, all of one shape, and the radiograph's data URI.

    `steps` are of the probability, 0 to 255. Layers that are not there are left out.
    """
    known = {"truth": truth, "mask": mask, "levels": steps}
    layers = {name: layer for name, layer in known.items() if layer is not None}
    shape = next(iter(layers.values())).shape if layers else (0, 0)
    content = b"".join(layer.astype(np.uint8).tobytes() for layer in layers.values())
    return {
        "rows": shape[0],
        "columns": shape[1],
        "layers": list(layers),
        "packed": packing.octets(content),
        "picture": picture,
    }


def _folds(folds: "pd.Series[int]") -> dict[str, Any]:
    """The images of each fold in words; the test share is fold -1."""
    names = {fold: "test share" if fold < 0 else str(fold) for fold in sorted(set(folds))}
    return {name: folds == fold for fold, name in names.items()}
