import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfptx.pipeline import sampling

shares = st.lists(st.floats(0.01, 0.3), min_size=1, max_size=3)
epochs = st.fixed_dictionaries(
    {
        "num_positives": st.integers(1, 60),
        "num_negatives": st.integers(0, 200),
        "positive_share": st.floats(0.1, 1),
        "batch_size": st.integers(1, 9),
        "seed": st.integers(0, 2**40),
        "epoch": st.integers(0, 500),
    }
)


def draw(num_positives, num_negatives, **arguments):
    """Positives have the even numbers, negatives the odd ones."""
    positives = 2 * np.arange(num_positives)
    return sampling.draw(positives, 2 * np.arange(num_negatives) + 1, **arguments)


@settings(max_examples=200, deadline=None)
@given(epochs)
def test_an_epoch_has_every_positive_once_and_no_negative_twice_unless_its_last_batch_lacks(
    arguments,
):
    drawn = draw(**arguments)
    num_negatives = arguments["num_negatives"]
    assert len(drawn) % arguments["batch_size"] == 0
    again = max(len(drawn) - arguments["num_positives"] - num_negatives, 0)
    assert again < arguments["batch_size"]
    positives, negatives = drawn[drawn % 2 == 0], drawn[drawn % 2 == 1]
    assert set(positives) == set(2 * np.arange(arguments["num_positives"]))
    assert len(positives) == len(set(positives)) + (0 if num_negatives else again)
    assert len(negatives) == len(set(negatives)) + (again if num_negatives else 0)
    assert drawn.max(initial=-1, where=drawn % 2 == 1) < 2 * num_negatives
    # Of what is drawn again no example is drawn more often than another.
    counts = np.unique(negatives if len(negatives) else positives, return_counts=True)[1]
    assert np.ptp(counts) <= 1


@settings(max_examples=200, deadline=None)
@given(epochs)
def test_the_share_of_positives_is_met_within_one_batch_of_negatives(arguments):
    num_drawn = len(draw(**arguments))
    wanted = arguments["num_positives"] / arguments["positive_share"]
    if num_drawn >= arguments["num_positives"] + arguments["num_negatives"]:
        assert num_drawn <= wanted + arguments["batch_size"]
    else:
        assert num_drawn % arguments["batch_size"] == 0
        assert -0.5 <= num_drawn - wanted < arguments["batch_size"]


@settings(max_examples=50, deadline=None)
@given(epochs)
def test_the_same_seed_and_epoch_draw_the_same(arguments):
    np.testing.assert_array_equal(draw(**arguments), draw(**arguments))


def test_seeds_and_epochs_draw_different_negatives_in_different_orders():
    draws = [
        draw(20, 200, positive_share=0.5, batch_size=4, seed=seed, epoch=epoch)
        for seed, epoch in [(0, 0), (0, 1), (1, 0), (1, 1)]
    ]
    assert len({tuple(drawn.tolist()) for drawn in draws}) == 4
    assert len({frozenset(drawn[drawn % 2 == 1].tolist()) for drawn in draws}) == 4


def test_all_examples_have_the_same_chance_of_each_position():
    draws = np.array(
        [draw(3, 6, positive_share=0.5, batch_size=6, seed=0, epoch=epoch) for epoch in range(3000)]
    )
    # A position holds a given positive one time in 6, a given negative one time in 12.
    for number, expected in [(0, 500), (4, 500), (1, 250), (11, 250)]:
        counts = (draws == number).sum(axis=0)
        assert (abs(counts - expected) < 6 * np.sqrt(expected)).all()


def test_hand_worked_sizes():
    assert sampling.num_examples(8, 100, 0.8, 5) == 10
    assert sampling.num_examples(8, 100, 0.8, 4) == 12
    assert sampling.num_examples(8, 3, 0.5, 4) == 12
    assert sampling.num_examples(8, 0, 0.5, 4) == 8


def test_processes_load_equal_runs_of_each_batch_in_its_order():
    parts = [sampling.part(np.arange(12), 6, index, 2) for index in range(2)]
    assert parts[0].tolist() == [0, 1, 2, 6, 7, 8]
    assert parts[1].tolist() == [3, 4, 5, 9, 10, 11]
    np.testing.assert_array_equal(sampling.part(np.arange(12), 6, 0, 1), np.arange(12))


def test_no_positives_are_refused():
    with pytest.raises(ValueError, match="around its positive examples, got none"):
        draw(0, 5, positive_share=0.5, batch_size=2, seed=0, epoch=0)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 300), shares, st.integers(1, 9))
def test_further_records_have_their_shares_of_whole_batches(num_own, wanted, batch_size):
    sizes = sampling.num_further(num_own, wanted, batch_size)
    total = num_own + sum(sizes)
    assert total % batch_size == 0
    least = num_own / (1 - sum(wanted))
    assert least - 1e-3 <= total < least + batch_size
    for size, share in zip(sizes, wanted, strict=True):
        assert abs(size - share * total) <= 1 + batch_size


def test_no_further_records_leave_an_epoch_as_it_is():
    assert sampling.num_further(7, [], 4) == []


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.floats(0, 1), st.integers(0, 90))
def test_none_of_a_kind_is_drawn_again_before_all_are(num_positives, num_negatives, share, num):
    if num_positives + num_negatives == 0:
        return
    positives, negatives = 2 * np.arange(num_positives), 2 * np.arange(num_negatives) + 1
    drawn = sampling.draw_further(positives, negatives, share, num, [0, 1, 2])
    assert len(drawn) == num
    for numbers in (positives, negatives):
        times = [np.count_nonzero(drawn == number) for number in numbers]
        assert max(times, default=0) - min(times, default=0) <= 1
    if num_positives and num_negatives:
        assert np.count_nonzero(drawn % 2 == 0) == round(num * share)
