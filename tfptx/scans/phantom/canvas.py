"""This holds the canvas: it places the patient's plane on the detector and draws layers there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans.phantom.curves import Points

Values = TypeVar("Values", np.uint8, np.float32)
Layer = NDArray[np.uint8]  # rows x columns, 255 where the drawn thing is whole
LEAST_SIGMA_PX = 0.3  # a Gaussian below this leaves 8-bit pixels nearly as they were
FRACTION_BITS = 4  # OpenCV draws at sixteenths of a pixel


@dataclass(frozen=True)
class Canvas:
    """A square detector of `side_px`; `placement` (2 x 3) takes the plane to shares of its side."""

    side_px: int
    placement: NDArray[np.float64]

    def filled(self, outlines: Sequence[Points], softness: float = 0.0) -> Layer:
        """The inside of all outlines, its edge blurred by `softness` (a share of the side)."""
        layer = self._blank()
        for outline in outlines:
            corners = [self._fixed_point(outline)]
            cv2.fillPoly(layer, corners, 255, cv2.LINE_AA, FRACTION_BITS)
        return self.softened(layer, softness)

    def stroked(
        self,
        curves: Sequence[Points],
        width: float | Sequence[float],
        softness: float = 0.0,
        shades: Sequence[float] | None = None,
    ) -> Layer:
        """Lines of `width` (a share of the side) and shade (0 to 1), a later one on top.

        A line thinner than a pixel is drawn one pixel wide and fainter.
        """
        layer = self._blank()
        widths = [width] * len(curves) if isinstance(width, float) else width
        for curve, wide, shade in zip(curves, widths, shades or [1.0] * len(curves), strict=True):
            wide_px = wide * self.side_px
            value = round(255 * shade * min(1.0, wide_px))
            corners = [self._fixed_point(curve)]
            thickness = max(1, round(wide_px))
            cv2.polylines(layer, corners, False, value, thickness, cv2.LINE_AA, FRACTION_BITS)
        return self.softened(layer, softness)

    def softened(self, layer: NDArray[Values], softness: float) -> NDArray[Values]:
        """A layer blurred by a Gaussian whose sigma is a share of the side."""
        sigma_px = softness * self.side_px
        if sigma_px < LEAST_SIGMA_PX:
            return layer
        shrink = int(max(1, sigma_px // 3))
        if shrink == 1:
            return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma_px), layer.dtype)
        # A blur this wide loses nothing on a coarser grid and takes a fraction of the time.
        coarse_px = max(8, self.side_px // shrink)
        coarse = cv2.resize(layer, (coarse_px, coarse_px), interpolation=cv2.INTER_AREA)
        coarse = cv2.GaussianBlur(coarse, (0, 0), sigma_px * coarse_px / self.side_px)
        size = (self.side_px, self.side_px)
        return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), layer.dtype)

    def _blank(self) -> Layer:
        return np.zeros((self.side_px, self.side_px), np.uint8)

    def _fixed_point(self, points: Points) -> NDArray[np.int32]:
        shares = points @ self.placement[:, :2].T + self.placement[:, 2]
        # OpenCV counts from the first pixel's centre, shares from its border.
        sixteenths = np.rint((shares * self.side_px - 0.5) * 2**FRACTION_BITS)
        fixed: NDArray[np.int32] = sixteenths.astype(np.int32)
        return fixed
