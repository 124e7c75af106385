"""The symmetric Lovasz hinge against the published algorithm and its definition, in float64."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.objectives.lovasz_reference import (
    FLOAT64_HINGES,
    exact_logits,
    published,
    value_and_gradient,
)
from tfptx.objectives.lovasz import HINGES, symmetric_lovasz_hinge

BOTH_HINGES = pytest.mark.parametrize("hinge", HINGES)
EVERY_FORM = pytest.mark.parametrize(
    ("hinge", "sort"), [("relu", "wrong"), ("relu", "all"), ("elu", "all")]
)


@EVERY_FORM
@pytest.mark.parametrize("share", [0, 1e-3, 0.03, 0.5, 1])
def test_equals_the_published_algorithm_at_256_px(hinge, sort, share):
    generator = np.random.default_rng(5)
    truth = (generator.random((2, 256, 256, 1)) < share).astype("float32")
    logits = exact_logits(truth, generator)
    value, gradient = value_and_gradient(truth, logits, hinge, "image", sort)
    expected, expected_gradient = published(truth, logits, hinge)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    largest = np.abs(expected_gradient).max()
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=1e-6 * largest)


@BOTH_HINGES
def test_gradient_equals_numerical_differences(hinge):
    generator = np.random.default_rng(7)
    truth = (generator.random((1, 4, 4, 1)) < 0.4).astype("float32")
    logits = exact_logits(truth, generator)
    _, gradient = value_and_gradient(truth, logits, hinge)
    step = 1e-6
    for index in np.ndindex(logits.shape):
        above, below = logits.astype("float64"), logits.astype("float64")
        above[index] += step
        below[index] -= step
        rise = published(truth, above, hinge)[0] - published(truth, below, hinge)[0]
        # At an error of exactly 0 the relu has a kink; exact_logits places one error there.
        if logits[index] * (2 * truth[index] - 1) != 1:
            assert gradient[index] == pytest.approx(rise[0] / (2 * step), abs=1e-6)


def test_an_empty_image_worked_by_hand():
    # Errors are 1 + z: 3, 1.5, 0 (at z = -1) and 0 (the hinge of -1).
    logits = np.reshape([2.0, 0.5, -1.0, -2.0], (1, 2, 2, 1)).astype("float32")
    worst, mean = 3.0, (3.0 + 1.5) / 4
    value, gradient = value_and_gradient(np.zeros_like(logits), logits, "relu")
    np.testing.assert_allclose(value, [(worst + mean) / 2], rtol=1e-6)
    np.testing.assert_allclose(gradient.ravel(), [(1 + 1 / 4) / 2, 1 / 8, 0, 0], rtol=1e-6)


def test_a_mixed_image_worked_by_hand():
    # Errors 2 (positive), 1.5 (negative), 0.5 (positive), 0. As the pixels join from the worst, the
    # Jaccard losses are 1/2, 2/3, 1 and the mirrored ones 1/3, 2/3, 3/4.
    truth = np.reshape([1, 0, 1, 0], (1, 2, 2, 1)).astype("float32")
    logits = np.reshape([-1.0, 0.5, 0.5, -1.0], (1, 2, 2, 1)).astype("float32")
    plain = 2 * 1 / 2 + 1.5 * 1 / 6 + 0.5 * 1 / 3
    mirrored = 2 * 1 / 3 + 1.5 * 1 / 3 + 0.5 * 1 / 12
    value, _ = value_and_gradient(truth, logits, "relu")
    np.testing.assert_allclose(value, [(plain + mirrored) / 2], rtol=1e-6)


def naive_extension(wrong_loss, errors):
    """The Lovasz extension by its definition, from the loss of a set of wrong pixels."""
    order = sorted(range(len(errors)), key=lambda pixel: -errors[pixel])
    losses = [wrong_loss(frozenset(order[:count])) for count in range(len(order) + 1)]
    rises = [after - before for before, after in pairwise(losses)]
    return sum(rise * errors[pixel] for rise, pixel in zip(rises, order, strict=True))


@BOTH_HINGES
@given(
    pixels=st.lists(
        st.tuples(st.booleans(), st.integers(-40, 40).map(lambda tenths: tenths / 8)),
        min_size=1,
        max_size=9,
    )
)
@settings(deadline=None, max_examples=40)
def test_is_the_extension_of_the_jaccard_loss_by_its_definition(hinge, pixels):
    truth, logits = (np.array(part, "float64") for part in zip(*pixels, strict=True))
    errors = FLOAT64_HINGES[hinge](1 - logits * (2 * truth - 1))

    def jaccard_loss_of(members):
        def loss(wrong):
            union = members | wrong
            return 1 - len(members - wrong) / len(union) if union else 0

        return loss

    inside, outside = (frozenset(np.flatnonzero(truth == side).tolist()) for side in (1, 0))
    expected = (
        naive_extension(jaccard_loss_of(inside), errors)
        + naive_extension(jaccard_loss_of(outside), errors)
    ) / 2
    shape = (1, 1, len(pixels), 1)
    found = symmetric_lovasz_hinge(
        truth.reshape(shape), logits.reshape(shape).astype("float32"), hinge
    )
    np.testing.assert_allclose(found, [expected], rtol=1e-5, atol=1e-6)


@BOTH_HINGES
def test_swapping_the_classes_changes_nothing(hinge):
    generator = np.random.default_rng(11)
    truth = (generator.random((3, 16, 16, 1)) < 0.2).astype("float32")
    logits = exact_logits(truth, generator)
    np.testing.assert_allclose(
        symmetric_lovasz_hinge(1 - truth, -logits, hinge),
        symmetric_lovasz_hinge(truth, logits, hinge),
        rtol=1e-6,
    )


def test_hard_wrong_masks_cost_twice_their_jaccard_losses():
    # At logits of +-1 every wrong pixel has the error 2 and every right one 0.
    truth = np.reshape([1, 1, 0, 0, 0, 0], (1, 2, 3, 1)).astype("float32")
    mask = np.reshape([1, 0, 1, 0, 0, 0], (1, 2, 3, 1)).astype("float32")
    found = symmetric_lovasz_hinge(truth, 2 * mask - 1)
    jaccard_loss, mirrored_jaccard_loss = 1 - 1 / 3, 1 - 3 / 5
    np.testing.assert_allclose(found, [jaccard_loss + mirrored_jaccard_loss], rtol=1e-6)


@BOTH_HINGES
def test_per_batch_is_the_loss_of_one_tall_image(hinge):
    generator = np.random.default_rng(13)
    truth = (generator.random((3, 16, 16, 1)) < 0.2).astype("float32")
    truth[1] = 0
    logits = exact_logits(truth.reshape(1, 48, 16, 1), generator).reshape(truth.shape)
    value, gradient = value_and_gradient(truth, logits, hinge, "batch")
    tall = (part.reshape(1, 48, 16, 1) for part in (truth, logits))
    expected, expected_gradient = published(*tall, hinge)
    np.testing.assert_allclose(value, [*expected] * 3, rtol=1e-6)
    largest = np.abs(expected_gradient).max()
    np.testing.assert_allclose(
        gradient / 3, expected_gradient.reshape(gradient.shape), rtol=1e-6, atol=1e-6 * largest
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gelu",), r"hinge 'gelu' is unknown; choose one of relu, elu"),
        (("relu", "pixel"), r"per 'pixel' is unknown; choose one of image, batch"),
        (("relu", "image", "some"), r"sort 'some' is unknown; choose one of wrong, all"),
        (("elu", "image", "wrong"), r"sort 'wrong' leaves out .* the elu counts; take sort 'all'"),
    ],
)
def test_an_unknown_choice_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        symmetric_lovasz_hinge(np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)), *arguments)
