"""Every loss against its formula in float64, and one contract for all of them."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tfptx.objectives import losses
from tfptx.objectives.curriculum import TERMS

EVERY_LOSS = pytest.mark.parametrize("loss", TERMS.values(), ids=TERMS.keys())
PER_IMAGE = {name: loss for name, loss in TERMS.items() if not name.endswith("_batch")}
EVERY_LOSS_PER_IMAGE = pytest.mark.parametrize("loss", PER_IMAGE.values(), ids=PER_IMAGE.keys())


@pytest.fixture
def batch():
    """Truth and logits of four images: two mixed ones, an empty one, and a full one."""
    generator = np.random.default_rng(3)
    truth = (generator.random((4, 8, 6, 1)) < 0.3).astype("float32")
    truth[2], truth[3] = 0, 1
    return truth, generator.normal(0, 3, truth.shape).astype("float32")


def cross_entropies(truth, logits):
    """-log(p) where the truth is 1, -log(1 - p) where it is 0, in float64."""
    probability = 1 / (1 + np.exp(-logits.astype("float64")))
    return np.where(truth == 1, -np.log(probability), -np.log(1 - probability))


def value_and_gradient(loss, truth, logits):
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(truth, logits)
        total = tf.reduce_sum(value)
    return value.numpy(), tape.gradient(total, logits).numpy()


def test_weighted_bce_follows_its_formula(batch):
    truth, logits = batch
    expected = np.where(truth == 1, 0.9, 0.4) * cross_entropies(truth, logits)
    found = ops.convert_to_numpy(losses.weighted_bce(truth, logits, 0.9, 0.4))
    np.testing.assert_allclose(found, expected.mean(axis=(1, 2, 3)), rtol=2e-6)


@pytest.mark.parametrize(("positive", "negative"), [(0.75, 0.25), (1.0, 0.4), (7.0, 0.4)])
def test_an_all_negative_batch_has_the_negative_weight_times_the_plain_bce(
    positive, negative, batch
):
    _, logits = batch
    truth = np.zeros_like(logits)
    weighted = partial(losses.weighted_bce, positive=positive, negative=negative)
    value, gradient = value_and_gradient(weighted, truth, logits)
    plain, plain_gradient = value_and_gradient(
        partial(losses.weighted_bce, positive=1.0, negative=1.0), truth, logits
    )
    np.testing.assert_allclose(
        plain, cross_entropies(truth, logits).mean(axis=(1, 2, 3)), rtol=2e-6
    )
    np.testing.assert_allclose(value, negative * plain, rtol=1e-6)
    np.testing.assert_allclose(gradient, negative * plain_gradient, rtol=1e-6)


def test_soft_dice_follows_its_formula(batch):
    truth, logits = batch
    probability = 1 / (1 + np.exp(-logits.astype("float64")))
    overlap = (truth * probability).sum(axis=(1, 2, 3))
    total = (truth + probability).sum(axis=(1, 2, 3))
    found = ops.convert_to_numpy(losses.soft_dice(truth, logits, 2.0))
    np.testing.assert_allclose(found, 1 - (2 * overlap + 2) / (total + 2), rtol=2e-6)


@pytest.fixture
def soft_truth(batch):
    """Probabilities in place of the truth of the two mixed images, 0 and 1 among them."""
    truth, _ = batch
    soft = np.random.default_rng(5).random(truth.shape).astype("float32")
    soft[0, :2] = truth[0, :2]
    soft[2:] = truth[2:]
    return soft


def of_class(logits, is_inside):
    """The plain cross-entropy were every pixel inside, or outside, in float64."""
    return cross_entropies(np.full_like(logits, is_inside), logits)


def test_weighted_bce_of_soft_truth_lies_between_those_of_the_classes(batch, soft_truth):
    _, logits = batch
    truth = soft_truth.astype("float64")
    expected = 0.9 * truth * of_class(logits, 1) + 0.4 * (1 - truth) * of_class(logits, 0)
    found = ops.convert_to_numpy(losses.weighted_bce(soft_truth, logits, 0.9, 0.4))
    np.testing.assert_allclose(found, expected.mean(axis=(1, 2, 3)), rtol=2e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_of_soft_truth_lies_between_those_of_the_classes(gamma, batch, soft_truth):
    _, logits = batch
    truth = soft_truth.astype("float64")
    inside, outside = of_class(logits, 1), of_class(logits, 0)
    expected = truth * (1 - np.exp(-inside)) ** gamma * inside
    expected += (1 - truth) * (1 - np.exp(-outside)) ** gamma * outside
    found = ops.convert_to_numpy(losses.focal(soft_truth, logits, gamma))
    np.testing.assert_allclose(found, expected.mean(axis=(1, 2, 3)), rtol=5e-6)


def test_soft_dice_of_soft_truth_follows_its_formula(batch, soft_truth):
    _, logits = batch
    truth = soft_truth.astype("float64")
    probability = 1 / (1 + np.exp(-logits.astype("float64")))
    overlap = (truth * probability).sum(axis=(1, 2, 3))
    total = (truth + probability).sum(axis=(1, 2, 3))
    found = ops.convert_to_numpy(losses.soft_dice(soft_truth, logits, 2.0))
    np.testing.assert_allclose(found, 1 - (2 * overlap + 2) / (total + 2), rtol=2e-6)


@pytest.mark.parametrize("name", [name for name in TERMS if name.startswith("lovasz")])
def test_the_lovasz_terms_take_soft_truth_from_a_half_on(name, batch, soft_truth):
    _, logits = batch
    soft_truth[1, 0, 0] = 0.5
    soft_truth[1, 0, 1] = np.nextafter(np.float32(0.5), np.float32(0))
    hard = (soft_truth >= 0.5).astype("uint8")
    np.testing.assert_array_equal(TERMS[name](soft_truth, logits), TERMS[name](hard, logits))


def test_presence_takes_soft_truth_from_a_half_on():
    truth = np.full((2, 4, 4, 1), 0.49, np.float32)
    truth[1, 2, 3] = 0.5
    logits = np.array([[2.0], [2.0]], np.float32)
    expected = losses.presence_bce(np.array([0, 1]).reshape(2, 1, 1, 1), logits)
    np.testing.assert_array_equal(losses.presence_bce(truth, logits), expected)


def test_soft_dice_on_empty_truth():
    truth = np.zeros((1, 4, 4, 1), "float32")
    everywhere_half = losses.soft_dice(truth, np.zeros_like(truth))
    nowhere = losses.soft_dice(truth, np.full_like(truth, -1e4))
    np.testing.assert_allclose(everywhere_half, [8 / 9], rtol=1e-6)
    np.testing.assert_array_equal(nowhere, [0])


def test_focal_follows_its_formula(batch):
    truth, logits = batch
    entropies = cross_entropies(truth, logits)
    expected = (1 - np.exp(-entropies)) ** 1.5 * entropies
    found = ops.convert_to_numpy(losses.focal(truth, logits, 1.5))
    np.testing.assert_allclose(found, expected.mean(axis=(1, 2, 3)), rtol=5e-6)


def test_focal_without_gamma_is_the_plain_cross_entropy(batch):
    plain = losses.weighted_bce(*batch, 1.0, 1.0)
    np.testing.assert_allclose(losses.focal(*batch, 0.0), plain, rtol=1e-6)


@EVERY_LOSS
def test_gives_one_float32_loss_per_image(loss, batch):
    found = loss(*batch)
    assert found.shape == (4,)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"


@EVERY_LOSS_PER_IMAGE
def test_the_loss_of_an_image_is_independent_of_the_others(loss, batch):
    truth, logits = batch
    found = loss(truth, logits)
    alone = np.concatenate([loss(truth[i : i + 1], logits[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(found, alone, rtol=1e-6)


@EVERY_LOSS
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_logits_are_computed_in_float32(loss, dtype, batch):
    truth, logits = batch
    narrow = ops.cast(logits, dtype)
    expected = loss(truth, ops.cast(narrow, "float32"))
    np.testing.assert_array_equal(loss(truth, narrow), expected)
    assert keras.backend.standardize_dtype(loss(truth, narrow).dtype) == "float32"


@EVERY_LOSS
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16"])
def test_truth_may_have_any_dtype(loss, dtype, batch):
    truth, logits = batch
    np.testing.assert_array_equal(loss(truth.astype(dtype), logits), loss(truth, logits))


@EVERY_LOSS
@pytest.mark.parametrize("size", [0.0, 1e-30, 100.0, 1e4])
def test_loss_and_gradient_are_finite_for_large_logits(loss, size, batch):
    truth, logits = batch
    value, gradient = value_and_gradient(loss, truth, size * np.sign(logits))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@EVERY_LOSS
def test_right_confident_logits_cost_less_than_wrong_ones(loss, batch):
    truth, _ = batch
    towards_truth = 20 * (2 * truth - 1)
    right, wrong = np.asarray(loss(truth, towards_truth)), np.asarray(loss(truth, -towards_truth))
    np.testing.assert_allclose(right, 0, atol=1e-4)
    assert (wrong > 0.5).all()


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_graph_and_xla_give_what_eager_gives(name, jit, batch):
    truth, logits = batch
    loss = partial(TERMS[name], sort="all") if jit and "lovasz" in name else TERMS[name]
    expected, expected_gradient = value_and_gradient(loss, truth, logits)

    @tf.function(jit_compile=jit)
    def compiled(truth, logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(truth, logits)
        return value, tape.gradient(value, logits)

    value, gradient = compiled(tf.constant(truth), tf.constant(logits))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-7)


@EVERY_LOSS
def test_size_and_number_of_images_may_be_unknown_while_tracing(loss, batch):
    truth, logits = batch
    unknown = tf.TensorSpec([None, None, None, 1])
    traced = tf.function(loss, input_signature=[unknown, unknown])
    np.testing.assert_allclose(traced(truth, logits), loss(truth, logits), rtol=1e-6)


def test_presence_is_the_cross_entropy_of_any_mask():
    truth = np.zeros((3, 4, 4, 1), np.uint8)
    truth[1, 2, 3] = 1
    logits = np.array([[2.0], [2.0], [-100.0]], np.float32)
    expected = [np.log1p(np.exp(2)), np.log1p(np.exp(-2)), 0]
    np.testing.assert_allclose(losses.presence_bce(truth, logits), expected, rtol=1e-6)
