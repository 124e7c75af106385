from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfptx import config
from tfptx.objectives import curriculum, losses, lovasz
from tfptx.objectives.curriculum import LOSSES, Curriculum

GENERATOR = np.random.default_rng(13)
TRUTH = (GENERATOR.random((6, 8, 8, 1)) < 0.3).astype("float32")
LOGITS = GENERATOR.normal(0, 2, TRUTH.shape).astype("float32")


class Segmenter(keras.Model):
    """The smallest network that trains on a curriculum."""

    def __init__(self, terms):
        super().__init__()
        self.terms = terms
        self.head = keras.layers.Conv2D(1, 3, padding="same")
        self.num_traces = 0

    def call(self, images):
        return self.head(images)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.num_traces += 1
        return self.terms(y, y_pred)


class Swap(keras.callbacks.Callback):
    """Gives each epoch its weights."""

    def __init__(self, weights_by_epoch):
        super().__init__()
        self.weights_by_epoch = weights_by_epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.model.terms.assign(self.weights_by_epoch[epoch])


def not_a_number(truth, logits):
    return tf.reduce_mean(logits, axis=(1, 2, 3)) * float("nan")


def fit(terms, weights_by_epoch, **compile_arguments):
    keras.utils.set_random_seed(1)
    model = Segmenter(terms)
    model.compile(keras.optimizers.SGD(0.1), **compile_arguments)
    history = model.fit(
        LOGITS,
        TRUTH,
        batch_size=2,
        epochs=len(weights_by_epoch),
        callbacks=[Swap(weights_by_epoch)],
        verbose=0,
    )
    return model, history.history


def test_the_table_holds_the_names_that_a_config_may_use():
    assert set(LOSSES) == set(get_args(config.LossName))


def test_the_table_names_the_functions_that_it_says():
    expected = {
        "weighted_bce": losses.weighted_bce(TRUTH, LOGITS),
        "soft_dice": losses.soft_dice(TRUTH, LOGITS),
        "focal": losses.focal(TRUTH, LOGITS),
        "lovasz_hinge": lovasz.symmetric_lovasz_hinge(TRUTH, LOGITS, "relu"),
        "lovasz_hinge_elu": lovasz.symmetric_lovasz_hinge(TRUTH, LOGITS, "elu"),
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(LOSSES[name](TRUTH, LOGITS), values)


@pytest.mark.parametrize("wrap", [lambda call: call, tf.function], ids=["eager", "graph"])
def test_is_the_mean_over_images_of_the_weighted_sum(wrap):
    terms = Curriculum(list(LOSSES), positive=0.9, negative=0.4)
    weights = dict(zip(LOSSES, [3.0, 1.0, 4.0, 0.5, 0.25], strict=True))
    terms.assign(weights)
    by_term = {name: loss(TRUTH, LOGITS) for name, loss in LOSSES.items()}
    by_term["weighted_bce"] = losses.weighted_bce(TRUTH, LOGITS, 0.9, 0.4)
    means = {name: np.mean(values) for name, values in by_term.items()}
    found = wrap(terms)(TRUTH, LOGITS)
    assert found.shape == ()
    assert float(found) == pytest.approx(sum(weights[name] * means[name] for name in LOSSES))
    trackers = {tracker.name: float(tracker.result()) for tracker in terms.trackers}
    assert trackers == pytest.approx(means)


def test_weights_follow_what_is_assigned():
    terms = Curriculum(["soft_dice", "focal"], 0.75, 0.25)
    assert terms.weights_now() == {"soft_dice": 0.0, "focal": 0.0}
    terms.assign({"focal": 0.25, "soft_dice": 2.0})
    assert terms.weights_now() == {"soft_dice": 2.0, "focal": 0.25}
    assert [weight.name for weight in terms.weights] == ["soft_dice_weight", "focal_weight"]
    assert terms.trainable_weights == []


def test_logits_are_not_narrowed_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        terms = Curriculum(["soft_dice"], 0.75, 0.25)
    finally:
        keras.config.set_dtype_policy(before)
    terms.assign({"soft_dice": 1.0})
    expected = np.mean(losses.soft_dice(TRUTH, LOGITS))
    assert float(terms(TRUTH, LOGITS)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("eagerly", [False, True], ids=["graph", "eager"])
def test_a_fit_swaps_its_loss_without_retracing(eagerly):
    swaps = [
        {"weighted_bce": 1.0, "lovasz_hinge": 0.0},
        {"weighted_bce": 0.5, "lovasz_hinge": 0.5},
        {"weighted_bce": 0.0, "lovasz_hinge": 1.0},
    ]
    terms = Curriculum(["weighted_bce", "lovasz_hinge"], 0.75, 0.25)
    model, history = fit(terms, swaps, run_eagerly=eagerly)
    if not eagerly:
        assert model.num_traces == 1
    for epoch, weights in enumerate(swaps):
        expected = sum(weights[name] * history[name][epoch] for name in weights)
        assert history["loss"][epoch] == pytest.approx(expected, rel=1e-5)
    assert history["lovasz_hinge"][0] == history["weighted_bce"][2] == 0
    assert history["lovasz_hinge"][2] < history["lovasz_hinge"][1]


@pytest.mark.parametrize("settings", [{}, {"run_eagerly": True}, {"jit_compile": True}])
def test_a_term_that_is_off_touches_neither_loss_nor_gradients(monkeypatch, settings):
    weights_by_epoch = [{"soft_dice": 1.0, "focal": 0.0}] * 2
    monkeypatch.setitem(curriculum.LOSSES, "focal", not_a_number)
    with_off_term, history = fit(
        Curriculum(["soft_dice", "focal"], 0.75, 0.25), weights_by_epoch, **settings
    )
    alone, _ = fit(Curriculum(["soft_dice"], 0.75, 0.25), [{"soft_dice": 1.0}] * 2, **settings)
    assert np.isfinite(history["loss"]).all()
    assert history["focal"] == [0, 0]
    for found, expected in zip(
        with_off_term.trainable_weights, alone.trainable_weights, strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_term_that_is_off_is_not_computed(monkeypatch):
    num_calls = []

    def counted(truth, logits):
        tf.py_function(lambda: num_calls.append(1), [], [])
        return losses.focal(truth, logits)

    monkeypatch.setitem(curriculum.LOSSES, "focal", counted)
    terms = Curriculum(["soft_dice", "focal"], 0.75, 0.25)
    step = tf.function(terms)
    terms.assign({"soft_dice": 1.0, "focal": 0.0})
    step(TRUTH, LOGITS)
    assert num_calls == []
    terms.assign({"soft_dice": 1.0, "focal": 1.0})
    step(TRUTH, LOGITS)
    assert num_calls == [1]


def test_trackers_weigh_batches_by_their_images():
    terms = Curriculum(["soft_dice"], 0.75, 0.25)
    terms.assign({"soft_dice": 3.0})
    terms(TRUTH[:4], LOGITS[:4])
    terms(TRUTH[4:], LOGITS[4:])
    expected = np.mean(losses.soft_dice(TRUTH, LOGITS))
    assert float(terms.trackers[0].result()) == pytest.approx(expected, rel=1e-6)


def test_unknown_terms_are_refused():
    with pytest.raises(ValueError, match=r"unknown loss terms dice; choose from weighted_bce,"):
        Curriculum(["dice", "focal"], 0.75, 0.25)


@pytest.mark.parametrize("weights", [{}, {"focal": 1.0}, {"soft_dice": 1.0, "dice": 1.0}])
def test_weights_of_other_terms_are_refused(weights):
    terms = Curriculum(["soft_dice", "focal"], 0.75, 0.25)
    with pytest.raises(ValueError, match=r"weights of the terms soft_dice, focal are expected"):
        terms.assign(weights)


@pytest.mark.parametrize("weight", [-0.5, float("nan")])
def test_weights_below_zero_are_refused(weight):
    terms = Curriculum(["focal"], 0.75, 0.25)
    with pytest.raises(ValueError, match=r"the weight of focal is .*at least 0"):
        terms.assign({"focal": weight})
