import keras
import numpy as np
import pytest

from tfptx.objectives.metrics import BestCellDice
from tfptx.operating_point import rule, score

THRESHOLDS, MIN_PIXELS, SIZE_PX = (0.2, 0.5, 0.9), (0, 40, 200), 32


def batch(seed):
    """Truth and logits of five images of 16 px, the first two without pneumothorax."""
    random = np.random.default_rng(seed)
    truth = np.zeros((5, 16, 16, 1), "float32")
    for image in range(2, 5):
        truth[image, : 2 + image, :5] = 1
    logits = 3 * truth - 2 + random.normal(0, 1.5, truth.shape)
    logits[0] = -9
    return truth, logits.astype("float32")


def expected(batches):
    """Every cell by the rule and the score, image by image; then the best of them."""
    truth, logits = (np.concatenate(parts)[..., 0] for parts in zip(*batches, strict=True))
    probability = keras.ops.convert_to_numpy(keras.ops.sigmoid(logits))
    cells = {}
    for threshold in THRESHOLDS:
        for min_pixels in MIN_PIXELS:
            pair = rule.Pair(threshold, min_pixels, SIZE_PX)
            dice = np.array(
                [score.dice(rule.mask(p, pair), t) for p, t in zip(probability, truth, strict=True)]
            )
            is_positive = truth.any(axis=(1, 2))
            cells[threshold, min_pixels] = (dice.mean(), dice[is_positive].mean())
    best = max(cells, key=lambda cell: cells[cell])
    return {
        "mean_dice": cells[best][0],
        "positive_dice": cells[best][1],
        "threshold": best[0],
        "min_pixels": best[1],
    }


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_rule_and_the_score_at_every_cell(seed):
    metric = BestCellDice(THRESHOLDS, MIN_PIXELS, SIZE_PX)
    batches = [batch(seed), batch(seed + 100)]
    for truth, logits in batches:
        metric.update_state(truth, logits)
    found = {name: float(value) for name, value in metric.result().items()}
    assert found == pytest.approx(expected(batches), rel=1e-6)


def test_a_reset_forgets_and_an_unused_metric_is_zero():
    metric = BestCellDice(THRESHOLDS, MIN_PIXELS, SIZE_PX)
    truth, logits = batch(0)
    metric.update_state(1 - truth, logits)
    metric.reset_state()
    assert float(metric.result()["mean_dice"]) == 0
    metric.update_state(truth, logits)
    assert float(metric.result()["mean_dice"]) == pytest.approx(
        expected([(truth, logits)])["mean_dice"], rel=1e-6
    )


def test_its_figures_reach_the_logs_of_a_fit():
    model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Conv2D(1, 1)])
    model.compile("sgd", "mse", metrics=[BestCellDice(THRESHOLDS, MIN_PIXELS, SIZE_PX)])
    truth, logits = batch(1)
    history = model.fit(
        logits, truth, batch_size=2, validation_data=(logits, truth), verbose=0
    ).history
    assert {"val_mean_dice", "val_positive_dice", "val_threshold", "val_min_pixels"} <= set(history)
    found = model.evaluate(logits, truth, batch_size=2, verbose=0, return_dict=True)
    assert found["mean_dice"] == pytest.approx(
        expected([(truth, model.predict(logits, verbose=0))])["mean_dice"], rel=1e-6
    )


def test_sample_weights_are_refused():
    truth, logits = batch(0)
    with pytest.raises(ValueError, match="no sample weights"):
        BestCellDice(THRESHOLDS, MIN_PIXELS, SIZE_PX).update_state(truth, logits, np.ones(5))
