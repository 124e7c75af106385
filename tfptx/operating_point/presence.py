"""This holds the cells that ask an image's presence too: what a second head says of the whole."""

from collections.abc import Iterator, Sequence

import numpy as np

from tfptx.operating_point import rule
from tfptx.operating_point.cells import Block, CountCells, Pixels
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid, Index, joint


class PresenceCells:
    """The cells of pairs whose masks are empty where the presence does not reach a threshold.

    Raises ValueError where an image has no presence.
    """

    def __init__(self, counted: Sequence[Counts], grid: Grid) -> None:
        thresholds, sizes, presences = grid.axes.values()
        self.grid = grid
        self._pairs = CountCells(counted, joint(thresholds, sizes, grid.size_px))
        self.images = self._pairs.images
        presence = np.concatenate([each.presence for each in counted])
        if np.isnan(presence).any():
            raise ValueError(
                f"{np.isnan(presence).sum()} of {len(presence)} images have no presence; predict "
                'maps with a network that was fitted with heads = ["presence"]'
            )
        levels = rule.levels(presence)[:, np.newaxis]
        self._is_present = levels >= [rule.level_of(each) for each in presences]

    def blocks(self) -> Iterator[Block]:
        """See `Cells`."""
        num_presences = self._is_present.shape[1]
        for places, predicted, overlap in self._pairs.blocks():
            for place, is_present in enumerate(self._is_present.T[..., np.newaxis]):
                yield Block(
                    places * num_presences + place, predicted * is_present, overlap * is_present
                )

    def at(self, index: Index) -> tuple[Pixels, Pixels]:
        """See `Cells`."""
        *pair, place = index
        predicted, overlap = self._pairs.at(tuple(pair))
        is_present = self._is_present[:, place]
        return predicted * is_present, overlap * is_present
