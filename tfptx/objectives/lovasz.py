"""This holds the symmetric Lovasz hinge: a convex surrogate of the Jaccard loss, on logits.

Berman et al. 2018 (arXiv:1705.08790): an image's loss is the sum of its hinge errors, sorted from
the worst, times what each pixel adds to the Jaccard loss when it joins the wrong ones (Alg. 1).
"""

from collections.abc import Callable
from typing import Any, Literal

from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use

HingeName = Literal["relu", "elu"]
HINGES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": ops.relu,
    "elu": lambda errors: ops.elu(errors) + 1,
}


def symmetric_lovasz_hinge(truth: Tensor, logits: Tensor, hinge: HingeName = "relu") -> Tensor:
    """Give (hinge(z, y) + hinge(-z, 1 - y)) / 2 per image, for logits z and truth y.

    `truth` is 0 or 1 and `logits` any float, both N x H x W x 1; the losses are float32 [N], at
    least 0. A pixel's error e = 1 - z (2y - 1) counts as max(e, 0) for `hinge` "relu" and as
    elu(e) + 1, which leaves every pixel a gradient, for "elu".

    The mirrored term is why an empty image has a useful gradient: there the plain hinge is the
    single worst pixel, the mirrored one the mean over all pixels. Errors are the same in both
    terms, so one sort serves both. It sorts all pixels: shapes stay static for XLA.

    Raises ValueError on an unknown hinge.
    """
    if hinge not in HINGES:
        raise ValueError(f"hinge {hinge!r} is unknown; choose one of {', '.join(HINGES)}")
    _, rows, columns, _ = ops.shape(logits)
    signs = 2 * ops.cast(truth, "float32") - 1
    errors = ops.reshape(1 - ops.cast(logits, "float32") * signs, (-1, rows * columns))
    positive = ops.reshape(ops.cast(truth, "int32"), (-1, rows * columns))

    order = ops.argsort(-ops.stop_gradient(errors), axis=1)
    errors = ops.take_along_axis(errors, order, axis=1)
    positive = ops.take_along_axis(positive, order, axis=1)

    # Integers: a float32 count of pixels stops growing at 2^24, the area of a 4096 x 4096 image.
    positives = ops.cumsum(positive, axis=1)
    negatives = ops.arange(1, rows * columns + 1, dtype="int32") - positives
    weights = _jaccard_gradient(positive == 1, positives, negatives)
    mirrored = _jaccard_gradient(positive == 0, negatives, positives)

    terms = (weights + mirrored) / 2 * HINGES[hinge](errors)
    # Row by row, since one float32 sum over a million pixels can be off by 1e-2.
    return ops.sum(ops.sum(ops.reshape(terms, (-1, rows, columns)), axis=2), axis=1)


def _jaccard_gradient(is_positive: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """Give what each pixel, from the worst, adds to the Jaccard loss: float32 N x pixels.

    With P positives in all, and p positives and n negatives up to and with this pixel, the loss is
    1 - (P - p) / (P + n). So a positive adds 1 / (P + n) and a negative
    (P - p) / ((P + n) (P + n - 1)). These closed forms keep the digits that differences of float32
    losses lose.
    """
    total = positives[:, -1:]
    left = ops.cast(total - positives, "float32")
    union = ops.cast(total + negatives, "float32")
    of_negative = left / (union * ops.maximum(union - 1, 1.0))
    # Without positives, the first wrong pixel takes the loss from 0 to 1 at once.
    return ops.where(is_positive, 1 / union, ops.where(union == 1, 1.0, of_negative))
