import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfptx.objectives.metrics import MeanDice

SHAPE = (4, 3, 2, 1)


def naive_dice(mask, truth):
    """The rule, pixel by pixel."""
    pairs = list(zip(mask.ravel().tolist(), truth.ravel().tolist(), strict=True))
    inside = sum(in_mask for in_mask, _ in pairs) + sum(in_truth for _, in_truth in pairs)
    if inside == 0:
        return 1.0
    return 2 * sum(in_mask and in_truth for in_mask, in_truth in pairs) / inside


def logits_of(probabilities):
    return np.log(probabilities / (1 - probabilities)).astype("float32")


@given(
    truth=arrays.arrays(bool, SHAPE),
    hundredths=arrays.arrays(int, SHAPE, elements=st.integers(1, 99)),
    threshold=st.sampled_from([0.055, 0.5, 0.705]),
)
@settings(deadline=None, max_examples=40)
def test_equals_the_rule_image_by_image(truth, hundredths, threshold):
    # On an edge the logit's rounding would decide; 0.5 is exact, so it may be on one.
    probabilities = hundredths / 100
    metric = MeanDice(threshold)
    metric.update_state(truth[:3], logits_of(probabilities[:3]))
    metric.update_state(truth[3:], logits_of(probabilities[3:]))
    masks = probabilities >= threshold
    expected = np.mean([naive_dice(*pair) for pair in zip(masks, truth, strict=True)])
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("mask_px", "truth_px", "expected"), [(0, 0, 1), (0, 3, 0), (3, 0, 0), (1, 3, 0.5), (4, 4, 1)]
)
def test_one_image_worked_by_hand(mask_px, truth_px, expected):
    pixels = np.arange(4).reshape(1, 2, 2, 1)
    metric = MeanDice()
    metric.update_state(pixels < truth_px, np.where(pixels < mask_px, 5.0, -5.0))
    assert float(metric.result()) == pytest.approx(expected)


def test_the_threshold_itself_is_inside():
    metric = MeanDice(0.5)
    metric.update_state(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)))
    assert float(metric.result()) == 1


def test_reset_forgets_and_config_round_trips():
    metric = MeanDice(0.7, name="at_70")
    metric.update_state(np.ones((1, 2, 2, 1)), np.full((1, 2, 2, 1), -9.0))
    metric.reset_state()
    metric.update_state(np.ones((1, 2, 2, 1)), np.full((1, 2, 2, 1), 9.0))
    assert float(metric.result()) == 1
    again = MeanDice.from_config(metric.get_config())
    assert (again.threshold, again.name) == (0.7, "at_70")


def test_a_compiled_model_reports_it():
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    truth = np.random.default_rng(2).random((6, 4, 4, 1)) < 0.4
    logits = tf.where(truth, 3.0, -3.0)
    model.compile(loss="mse", metrics=[MeanDice()])
    found = model.evaluate(logits, truth, batch_size=4, verbose=0, return_dict=True)
    assert found["mean_dice"] == pytest.approx(1)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_a_threshold_that_no_logit_stands_for_is_refused(threshold):
    with pytest.raises(ValueError, match="give one above 0 and below 1"):
        MeanDice(threshold)
