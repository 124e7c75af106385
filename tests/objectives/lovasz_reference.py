"""An independent reference of the symmetric Lovasz hinge in float64, and images to try it on."""

from functools import partial

import numpy as np
import tensorflow as tf

from tfptx.objectives.lovasz import symmetric_lovasz_hinge

FLOAT64_HINGES = {
    "relu": lambda errors: np.maximum(errors, 0),
    "elu": lambda errors: np.where(errors > 0, errors + 1, np.exp(np.minimum(errors, 0))),
}
FLOAT64_SLOPES = {
    "relu": lambda errors: (errors > 0).astype("float64"),
    "elu": lambda errors: np.where(errors > 0, 1, np.exp(np.minimum(errors, 0))),
}


def published_gradient(sorted_truth):
    """Algorithm 1 of Berman et al. 2018, line by line: differences of the Jaccard losses."""
    positives = sorted_truth.sum()
    intersection = positives - np.cumsum(sorted_truth)
    union = positives + np.cumsum(1 - sorted_truth)
    return np.diff(1 - intersection / union, prepend=0)


def published_hinge(truth, logits, hinge):
    """The hinge of one image in one direction, and its gradient by the logits, in float64."""
    truth, logits = truth.ravel().astype("float64"), logits.ravel().astype("float64")
    signs = 2 * truth - 1
    errors = 1 - logits * signs
    order = np.argsort(-errors, kind="stable")
    weights = np.empty_like(errors)
    weights[order] = published_gradient(truth[order])
    loss = (weights * FLOAT64_HINGES[hinge](errors)).sum()
    return loss, -weights * FLOAT64_SLOPES[hinge](errors) * signs


def published(truth, logits, hinge):
    """The symmetric form of a batch: one loss per image, gradients in the shape of the logits."""
    losses, gradients = [], []
    for image_truth, image_logits in zip(truth, logits, strict=True):
        loss, gradient = published_hinge(image_truth, image_logits, hinge)
        mirrored, mirrored_gradient = published_hinge(1 - image_truth, -image_logits, hinge)
        losses.append((loss + mirrored) / 2)
        gradients.append((gradient - mirrored_gradient).reshape(image_logits.shape) / 2)
    return np.array(losses), np.array(gradients)


COMPILED = {
    "eager": lambda step: step,
    "graph": tf.function,
    "xla": partial(tf.function, jit_compile=True),
}


def value_and_gradient(truth, logits, *arguments, kind="eager"):
    """The losses, and the gradient of their sum, as a step of this kind gives them."""

    def step(truth, logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = symmetric_lovasz_hinge(truth, logits, *arguments)
        return value, tape.gradient(value, logits)

    value, gradient = COMPILED[kind](step)(tf.constant(truth), tf.constant(logits))
    return value.numpy(), gradient.numpy()


# The errors of these images are distinct and exact in float32. Otherwise rounding ties errors that
# are apart in float64, and the order of a tie is free.


def exact_logits(truth, generator):
    """Random logits: three in four errors of each image are above 0."""
    steps = np.stack([generator.permutation(image.size).reshape(image.shape) for image in truth])
    errors = 4 * steps / truth[0].size - 1
    return ((1 - errors) * (2 * truth - 1)).astype("float32")


def trained_like(side_px, with_mask, generator):
    """Truth and logits of one image as a trained network has them: 1 x side x side x 1 each.

    The margins are 4 to 8 but in a band around the mask's border and in a blob, 2 % of the pixels,
    where errors are 0 to 5.
    """
    down, across = np.mgrid[:side_px, :side_px] / side_px
    radius = np.hypot((down - 0.4) / 0.2, (across - 0.3) / 0.12)
    truth = (radius < 1) & with_mask
    wrong = np.hypot(down - 0.7, across - 0.7) < 0.07
    wrong |= (np.abs(radius - 1) < 0.05) & with_mask
    errors = -3 - 4 * generator.permutation(truth.size).reshape(truth.shape) / truth.size
    errors[wrong] = (1 + generator.permutation(np.count_nonzero(wrong))) / 2**13
    logits = (1 - errors) * (2.0 * truth - 1)
    return tuple(part[None, ..., None].astype("float32") for part in (truth, logits))
