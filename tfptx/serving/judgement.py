"""This holds what is known of a point's worth on images, so that a model card can tell it.

It imports no TensorFlow, since the commands that judge do without.
"""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a point is worth on some images, as `tfptx evaluate --out` finds it.

    `figures` has the columns figure, value, low, high and all_empty; `subgroups` column, value,
    num_images, num_positives and the figures; `images` has one row an image. `is_where_chosen` is
    None where the point does not say on which maps it was chosen.
    """

    place: str
    figures: pd.DataFrame
    subgroups: pd.DataFrame
    images: pd.DataFrame
    is_where_chosen: bool | None
