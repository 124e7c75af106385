"""This holds the signed distance of pixels to a mask's outline, and the loss of a network's.

Every step of distance is a dilation, by a square and a diamond in turn: an octagon's distance, at
most a tenth off the Euclidean one, without leaving the device that augments and trains.
"""

from typing import Any

from keras import ops

from tfptx.objectives.truth import hard

Tensor = Any  # keras ships no types; an array of the backend in use

REACH_PX = 16  # of the network's pixels: what is further from an outline counts as this far
PIXELS = (1, 2, 3)


def signed(masks: Tensor) -> Tensor:
    """The distance to the outline, float32 N x H x W x 1: -1 and 1 are REACH_PX and further.

    Inside a mask, N x H x W x 1 of 0 and 1, it is positive. The first pixel on either side lies
    half a pixel from the outline; an image's border is none.
    """
    inside = outside = ops.cast(masks, "float32")
    inwards = outwards = ops.zeros_like(inside)
    for step in range(REACH_PX):
        inwards += inside
        outwards += 1 - outside
        inside = 1 - _dilated(1 - inside, step)
        outside = _dilated(outside, step)
    steps = inwards - outwards
    return (steps - 0.5 * ops.sign(steps)) / (REACH_PX - 0.5)


def distance_l1(truth: Tensor, distance: Tensor) -> Tensor:
    """Give the mean error of a signed distance, near a mask and far from any: float32 N.

    `truth` are masks, soft ones from 0.5 on, and `distance` what the network makes of them,
    N x H x W x 1. The mean of both means: pixels within a mask or REACH_PX of it would else drown
    in the others, of which an image without a mask has no other (DeepSDM weighs its regression
    towards the boundary likewise).
    """
    wanted = signed(hard(truth))
    error = ops.abs(ops.cast(distance, "float32") - wanted)
    is_near = ops.cast(wanted > -1 + 0.5 / REACH_PX, "float32")
    return (_mean(error, is_near) + _mean(error, 1 - is_near)) / 2


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return ops.sum(values * weights, axis=PIXELS) / ops.maximum(ops.sum(weights, axis=PIXELS), 1)


def _dilated(masks: Tensor, step: int) -> Tensor:
    """Masks grown by a pixel, along diagonals too in every other step."""
    if step % 2:
        return ops.max_pool(masks, 3, strides=1, padding="same")
    rows = ops.max_pool(masks, (3, 1), strides=1, padding="same")
    return ops.maximum(rows, ops.max_pool(masks, (1, 3), strides=1, padding="same"))
