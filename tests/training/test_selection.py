from tfptx.training import selection


def rows(*scores):
    return [
        {"epoch": epoch, "val_mean_dice": dice, "val_positive_dice": positive}
        for epoch, (dice, positive) in enumerate(scores)
    ]


def test_the_best_epoch_is_the_largest_then_the_better_on_positives_then_the_first():
    assert selection.best(rows((0.7, 0.0), (0.8, 0.1), (0.75, 0.9)))["epoch"] == 1
    assert selection.best(rows((0.8, 0.0), (0.8, 0.3), (0.8, 0.3)))["epoch"] == 1


def test_patience_counts_from_the_best_epoch_or_the_last_phase():
    falling = rows((0.9, 0.5), (0.8, 0.5), (0.8, 0.5), (0.8, 0.5))
    assert not selection.is_over([], 1, 0)
    assert selection.is_over(falling, 3, 0)
    assert not selection.is_over(falling, 4, 0)
    assert not selection.is_over(falling, 3, 1)
    assert selection.is_over(falling, 2, 1)
