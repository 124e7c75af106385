from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from tfptx.objectives import curriculum, losses
from tfptx.objectives.curriculum import HEADS, TERMS, Curriculum
from tfptx.stage_config import OF_HEADS, LossName


@pytest.fixture
def batch():
    random = np.random.default_rng(2)
    truth = (random.random((3, 8, 8, 1)) < 0.3).astype("float32")
    return truth, random.normal(0, 2, truth.shape).astype("float32")


def test_the_config_names_these_terms():
    assert get_args(LossName) == (*TERMS, *HEADS)
    assert list(OF_HEADS) == list(HEADS)


def test_the_loss_is_the_weighted_sum_and_follows_its_variables_in_a_compiled_step(batch):
    blend = Curriculum(["weighted_bce", "soft_dice"], positive=0.9, negative=0.2)
    compiled = tf.function(lambda truth, logits: blend.total(blend.means(truth, logits)))
    bce = float(np.mean(losses.weighted_bce(*batch, 0.9, 0.2)))
    dice = float(np.mean(losses.soft_dice(*batch)))
    for bce_weight, dice_weight in [(1.0, 0.0), (0.25, 2.0), (0.0, 1.0)]:
        blend.weights["weighted_bce"].assign(bce_weight)
        blend.weights["soft_dice"].assign(dice_weight)
        expected = bce_weight * bce + dice_weight * dice
        assert float(compiled(*batch)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", TERMS)
def test_a_term_that_is_off_is_not_computed(name, batch, monkeypatch):
    def refusing(truth, logits, **class_weights):
        with tf.control_dependencies([tf.debugging.Assert(False, ["computed"])]):
            return tf.zeros(3)

    monkeypatch.setitem(curriculum.TERMS, name, refusing)
    monkeypatch.setattr(curriculum, "weighted_bce", refusing)
    on = "soft_dice" if name != "soft_dice" else "focal"
    blend = Curriculum([on, name], positive=1.0, negative=1.0)
    blend.weights[on].assign(1.0)
    compiled = tf.function(blend.means)
    assert float(compiled(*batch)[name]) == 0
    blend.weights[name].assign(1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="computed"):
        compiled(*batch)


def test_a_term_that_is_off_adds_nothing_to_the_gradient(batch, monkeypatch):
    truth, logits = batch
    monkeypatch.setitem(curriculum.TERMS, "focal", lambda truth, logits: logits * np.nan)
    blend = Curriculum(["soft_dice", "focal"], positive=1.0, negative=1.0)
    blend.weights["soft_dice"].assign(1.0)

    @tf.function
    def gradient(logits, loss):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = loss(logits)
        return tape.gradient(total, logits)

    found = gradient(tf.constant(logits), lambda z: blend.total(blend.means(truth, z)))
    expected = gradient(tf.constant(logits), lambda z: tf.reduce_mean(losses.soft_dice(truth, z)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_an_all_negative_batch_has_the_negative_weight_times_the_plain_bce(batch):
    _, logits = batch
    truth = np.zeros_like(logits)
    blend = Curriculum(["weighted_bce"], positive=0.9, negative=0.2)
    blend.weights["weighted_bce"].assign(3.0)
    plain = float(np.mean(losses.weighted_bce(truth, logits, 1.0, 1.0)))
    found = float(blend.total(blend.means(truth, logits)))
    assert found == pytest.approx(3.0 * 0.2 * plain, rel=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_static_form_gives_the_same(batch, jit_compile):
    names = ["weighted_bce", "lovasz_hinge", "lovasz_hinge_elu_batch", "soft_dice"]
    dynamic, static = (Curriculum(names, 0.9, 0.2, is_static) for is_static in (False, True))
    compiled = tf.function(static.means, jit_compile=jit_compile)
    for blend in (dynamic, static):
        for name in names[:-1]:
            blend.weights[name].assign(0.5)
    expected = {name: float(mean) for name, mean in dynamic.means(*batch).items()}
    found = {name: float(mean) for name, mean in compiled(*batch).items()}
    assert found == pytest.approx(expected, rel=1e-5)
    assert found["soft_dice"] == 0
