"""This holds the losses that look at pixels, at overlap or at a whole image: BCE, Dice, focal.

Each takes the truth and the logits, N x H x W x 1, and gives one float32 loss per image [N]. The
truth is 0 or 1 in any dtype, or soft: probabilities in [0, 1]. Of soft truth t a loss by pixels is
t times that of a pixel inside and 1 - t times that of one outside, with the class weights of each,
as of many images of which a share t has the pixel inside. Logits of a narrower dtype are widened to
float32 first. The losses are written with softplus, since log(sigmoid(z)) is infinite once the
sigmoid rounds to 0: -log(sigmoid(z)) = softplus(-z) and -log(1 - sigmoid(z)) = softplus(z).
"""

from typing import Any

from keras import ops

from tfptx.objectives.truth import hard

Tensor = Any  # keras ships no types; an array of the backend in use

PIXELS = (1, 2, 3)  # every axis but the images


def weighted_bce(
    truth: Tensor, logits: Tensor, positive: float = 0.75, negative: float = 0.25
) -> Tensor:
    """Give the mean over pixels of the binary cross-entropy, each class times its weight.

    The weights say what a pixel inside (`positive`) and outside (`negative`) a pneumothorax
    counts. They multiply the pixels' losses and the mean is over all pixels, without division by
    the sum of weights: with (1, 1) this is the plain cross-entropy, and an image without
    pneumothorax has just `negative` times its plain cross-entropy and gradient, whatever `positive`
    is. So the defaults damp the many empty images as a whole, to a quarter of their plain gradient,
    and a missed pixel costs three times a false one.
    """
    truth, logits = _to_float32(truth), _to_float32(logits)
    inside = positive * truth * ops.softplus(-logits)
    outside = negative * (1 - truth) * ops.softplus(logits)
    return ops.mean(inside + outside, axis=PIXELS)


def soft_dice(truth: Tensor, logits: Tensor, smoothing: float = 1.0) -> Tensor:
    """Give 1 - (2 |p t| + smoothing) / (|p| + |t| + smoothing), with |.| the sum over pixels.

    The probabilities p stand in for the mask (Milletari et al. 2016, arXiv:1606.04797, without
    their squares). Soft truth t stands in the formula as it is; the loss is then least not at p = t
    but where p is 1 for the largest t and 0 for the others. `smoothing`, in pixels and above 0,
    defines the loss on empty truth, where it is 1 - smoothing / (|p| + smoothing): 0 for an empty
    prediction as the rule for empty masks has it.
    """
    truth = _to_float32(truth)
    probability = ops.sigmoid(_to_float32(logits))
    overlap = ops.sum(truth * probability, axis=PIXELS)
    total = ops.sum(truth, axis=PIXELS) + ops.sum(probability, axis=PIXELS)
    return 1 - (2 * overlap + smoothing) / (total + smoothing)


def focal(truth: Tensor, logits: Tensor, gamma: float = 2.0) -> Tensor:
    """Give the mean over pixels of (1 - p_t)^gamma times the cross-entropy -log(p_t).

    p_t is the probability that the logits give to a pixel's true class (Lin et al. 2017,
    arXiv:1708.02002, eq. 4). `gamma` >= 0 turns well-classified pixels down; 0 leaves the plain
    cross-entropy.
    """
    truth, logits = _to_float32(truth), _to_float32(logits)
    of_inside, of_outside = ops.softplus(-logits), ops.softplus(logits)
    # (1 - p_t)^gamma as an exponential: a power's gradient is infinite at 0 for gamma below 1.
    inside = truth * ops.exp(-gamma * of_outside) * of_inside
    outside = (1 - truth) * ops.exp(-gamma * of_inside) * of_outside
    return ops.mean(inside + outside, axis=PIXELS)


def presence_bce(truth: Tensor, logits: Tensor) -> Tensor:
    """Give the cross-entropy of whether an image has any mask; the logits are N x 1.

    It has one where a pixel's truth is at least 0.5.
    """
    present = ops.max(_to_float32(hard(truth)), axis=PIXELS)
    logit = _to_float32(logits)[:, 0]
    return present * ops.softplus(-logit) + (1 - present) * ops.softplus(logit)


def _to_float32(values: Tensor) -> Tensor:
    return ops.cast(values, "float32")
