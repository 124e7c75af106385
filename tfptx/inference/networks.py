"""This holds the networks that are asked together, and the manner in which maps are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfptx.inference import ensemble, load, windows
from tfptx.runs import StageFolder


@dataclass(frozen=True)
class Manner:
    """How a map is made of what networks say of an image.

    `flip` averages over the mirrored image too, `is_fused` over the signed distance, which is a
    head of the networks. With `overlap`, 0 to below 1, an image that is larger than the networks'
    size is predicted in windows of that size which overlap so far, in place of shrinking it; their
    scale is then the image's own, and should be that of what the networks were fitted on.
    """

    flip: bool = False
    is_fused: bool = False
    overlap: float | None = None

    def __post_init__(self) -> None:
        if self.overlap is not None and not 0 <= self.overlap < 1:
            raise ValueError(f"windows overlap by 0 to below 1 of their side, not {self.overlap}")


class Networks:
    """The networks of a share, and how they are asked together."""

    def __init__(
        self, folders: Sequence[StageFolder], size_px: int, manner: Manner, batch_size: int
    ) -> None:
        if manner.is_fused:
            load.refuse_without(folders, "distance")
        networks = [load.network(folder) for folder in folders]
        self.size_px = size_px
        self.batch_size = batch_size
        self._overlap = manner.overlap
        self.predict = tf.function(
            lambda images: ensemble.predictions(networks, images, manner.flip, manner.is_fused),
            input_signature=[tf.TensorSpec([None, size_px, size_px, 1])],
        )

    def in_windows(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """A large image's map, from R x C to float32 1 x R x C x 1; None of a small one."""
        if self._overlap is None or max(image.shape) <= self.size_px:
            return None

        def predict(images: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(self.predict(images)["probability"])

        found = windows.probability(predict, image, self.size_px, self._overlap, self.batch_size)
        return found[np.newaxis, ..., np.newaxis]
