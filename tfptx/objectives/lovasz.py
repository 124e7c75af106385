"""This holds the symmetric Lovasz hinge: a convex surrogate of the Jaccard loss, on logits.

Berman et al. 2018 (arXiv:1705.08790): an image's loss is the sum of its hinge errors, sorted from
the worst, times what each pixel adds to the Jaccard loss when it joins the wrong ones (Alg. 1).
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import keras
from keras import ops

from tfptx.objectives.truth import hard

Tensor = Any  # keras ships no types; an array of the backend in use

HingeName = Literal["relu", "elu"]
HINGES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": ops.relu,
    "elu": lambda errors: ops.elu(errors) + 1,
}
PerName = Literal["image", "batch"]
SortName = Literal["wrong", "all"]
# Backends that take shapes known only as they run; the others compile for shapes fixed before.
SORTS_OF_BACKENDS: dict[str, SortName] = {"tensorflow": "wrong", "torch": "wrong"}


def symmetric_lovasz_hinge(
    truth: Tensor,
    logits: Tensor,
    hinge: HingeName = "relu",
    per: PerName = "image",
    sort: SortName | None = None,
) -> Tensor:
    """Give (hinge(z, y) + hinge(-z, 1 - y)) / 2 per image, for logits z and truth y.

    `truth` is 0 or 1 and `logits` any float, both N x H x W x 1; the losses are float32 [N], at
    least 0. Soft truth counts as 1 from 0.5 on: the Jaccard loss is one of sets. A pixel's
    error e = 1 - z (2y - 1) counts as max(e, 0) for `hinge` "relu" and as elu(e) + 1, which leaves
    every pixel a gradient, for "elu". With `per` "batch" the pixels of all images are taken as one
    image, whose loss each image gets.

    The mirrored term is why an empty image has a useful gradient: there the plain hinge is the
    single worst pixel, the mirrored one the mean over all pixels. Errors are the same in both
    terms, so one sort serves both.

    `sort` "wrong" sorts only the errors above 0: the others, which follow in the order, add nothing
    to the relu's loss. That is exact, and many times as fast once most pixels are right. "all"
    sorts every pixel, as the elu needs; its shapes are static, as XLA and TPUs need them. None
    picks "wrong" for the relu on the backends of SORTS_OF_BACKENDS. A TensorFlow step with
    `jit_compile` has to ask for "all": the loss cannot see it.

    A NaN among an image's logits makes its loss NaN, and an infinite one on the wrong side makes it
    infinite, so that a fit can see it; gradients by other logits stay finite.

    Raises ValueError on an unknown hinge, per or sort, and on "wrong" with the elu.
    """
    _check_names(hinge, per, sort)
    if sort is None:
        sort = SORTS_OF_BACKENDS.get(keras.backend.backend(), "all") if hinge == "relu" else "all"
    num_images, rows, columns, _ = ops.shape(logits)
    flat = (1, -1) if per == "batch" else (-1, rows * columns)
    inside = hard(truth)
    positive = ops.reshape(ops.cast(inside, "int32"), flat)
    signs = 2 * ops.cast(inside, "float32") - 1
    errors = ops.reshape(1 - ops.cast(logits, "float32") * signs, flat)
    # Integers: a float32 count of pixels stops growing at 2^24, the area of a 4096 x 4096 image.
    num_positive = ops.sum(positive, axis=1, keepdims=True)
    num_negative = ops.shape(errors)[1] - num_positive

    if sort == "wrong":
        errors, positive = _wrong(errors, positive)
    errors, positive = _from_the_worst(errors, positive)
    terms = HINGES[hinge](errors) * _weights(positive, num_positive, num_negative)

    # One float32 sum over a million pixels can be off by 1e-2. The static form sums row by row
    # instead of in float64, which JAX and TPUs lack.
    if sort == "wrong":
        losses = ops.cast(ops.sum(ops.cast(terms, "float64"), axis=1), "float32")
    else:
        by_row = ops.reshape(terms, (ops.shape(terms)[0], -1, columns))
        losses = ops.sum(ops.sum(by_row, axis=2), axis=1)
    return ops.broadcast_to(losses, (num_images,))


def _check_names(hinge: str, per: str, sort: str | None) -> None:
    choices = {
        "hinge": (hinge, tuple(HINGES)),
        "per": (per, get_args(PerName)),
        "sort": (sort or "all", get_args(SortName)),
    }
    for what, (name, known) in choices.items():
        if name not in known:
            raise ValueError(f"{what} {name!r} is unknown; choose one of {', '.join(known)}")
    if hinge != "relu" and sort == "wrong":
        raise ValueError(f"sort 'wrong' leaves out pixels that the {hinge} counts; take sort 'all'")


def _wrong(errors: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """Give the pixels of each row whose error is above 0 or NaN, and zeros after the last."""
    # Not "not (errors <= 0)": TensorFlow's graph optimizer makes that "errors > 0", without NaN.
    is_wrong = ops.logical_or(errors > 0, ops.isnan(errors))
    image, pixel = ops.nonzero(is_wrong)
    counts = ops.sum(ops.cast(is_wrong, "int32"), axis=1)
    starts = ops.cumsum(counts) - counts
    column = ops.arange(ops.shape(image)[0], dtype="int32") - ops.take(starts, image)
    places = ops.stack([image, column], axis=1)
    shape = (ops.shape(errors)[0], ops.max(counts))
    flat = image * ops.shape(errors)[1] + pixel

    def packed(values: Tensor) -> Tensor:
        return ops.scatter(places, ops.take(ops.reshape(values, (-1,)), flat), shape)

    return packed(errors), packed(positive)


def _from_the_worst(errors: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """Sort each row by its errors, the largest first."""
    keys = ops.stop_gradient(errors)
    # NaN has no place in an order: sorting by it may read outside of the array.
    keys = ops.where(ops.isnan(keys), float("inf"), keys)
    order = ops.argsort(-keys, axis=1)
    return ops.take_along_axis(errors, order, axis=1), ops.take_along_axis(positive, order, axis=1)


def _weights(positive: Tensor, num_positive: Tensor, num_negative: Tensor) -> Tensor:
    """Give what each pixel, from the worst, adds to the mean of both terms: float32 N x pixels.

    `positive` may stop before the last pixel; `num_positive` and `num_negative`, N x 1, count all.
    """
    positives = ops.cumsum(positive, axis=1)
    negatives = ops.arange(1, ops.shape(positive)[1] + 1, dtype="int32") - positives
    weights = _jaccard_gradient(positive == 1, positives, negatives, num_positive)
    mirrored = _jaccard_gradient(positive == 0, negatives, positives, num_negative)
    return (weights + mirrored) / 2


def _jaccard_gradient(
    is_positive: Tensor, positives: Tensor, negatives: Tensor, total: Tensor
) -> Tensor:
    """Give what each pixel, from the worst, adds to the Jaccard loss: float32 N x pixels.

    With P positives in all, `total`, and p positives and n negatives up to and with this pixel, the
    loss is 1 - (P - p) / (P + n). So a positive adds 1 / (P + n) and a negative
    (P - p) / ((P + n) (P + n - 1)). These closed forms keep the digits that differences of float32
    losses lose.
    """
    left = ops.cast(total - positives, "float32")
    # 0 only in the zeros that pad a row, where dividing by it would make NaN of them.
    union = ops.maximum(ops.cast(total + negatives, "float32"), 1.0)
    of_negative = left / (union * ops.maximum(union - 1, 1.0))
    # Without positives, the first wrong pixel takes the loss from 0 to 1 at once.
    return ops.where(is_positive, 1 / union, ops.where(union == 1, 1.0, of_negative))
