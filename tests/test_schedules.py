import math
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfptx import schedules
from tfptx.stage_config import RateName

SMALLEST, LARGEST, HALF_CYCLE_EPOCHS, GAMMA = 1e-5, 1e-3, 4.0, 0.97
RATES = pytest.mark.parametrize("name", schedules.RATES)

epochs = st.floats(0, 200)
half_cycles = st.floats(0.25, 20)
weights = st.dictionaries(st.sampled_from("abc"), st.floats(0, 10), min_size=1)


@st.composite
def curricula(draw):
    starts = sorted(draw(st.sets(st.integers(1, 50), max_size=4)))
    return [(start, draw(st.floats(0, 30)), draw(weights)) for start in [0, *starts]]


def cycle(**changes):
    settings = {"half_cycle_epochs": HALF_CYCLE_EPOCHS, "epochs": 100, "gamma": GAMMA, **changes}
    return schedules.Cycle(SMALLEST, LARGEST, **settings)


def rate(name, epoch, **changes):
    return schedules.RATES[name](epoch, cycle(**changes))


def smith(epoch, amplitude_of_cycle):
    """The formula as Smith 2017 prints it, with iterations in place of epochs."""
    cycle = math.floor(1 + epoch / (2 * HALF_CYCLE_EPOCHS))
    x = abs(epoch / HALF_CYCLE_EPOCHS - 2 * cycle + 1)
    return SMALLEST + (LARGEST - SMALLEST) * max(0.0, 1 - x) * amplitude_of_cycle(cycle)


def test_the_table_holds_the_names_that_a_config_may_use():
    assert set(schedules.RATES) == set(get_args(RateName))


@RATES
@given(epoch=epochs, half_cycle_epochs=half_cycles)
@settings(deadline=None, max_examples=50)
def test_rates_stay_between_their_bounds(name, epoch, half_cycle_epochs):
    found = rate(name, epoch, half_cycle_epochs=half_cycle_epochs)
    lowest = schedules.ANNIHILATED * SMALLEST if name == "one_cycle" else SMALLEST
    assert lowest * (1 - 1e-9) <= found <= LARGEST * (1 + 1e-9)


@pytest.mark.parametrize("name", ["constant", "triangular", "cosine"])
@given(epoch=st.integers(0, 800), cycles=st.integers(1, 20))
@settings(deadline=None, max_examples=50)
def test_rates_repeat_after_a_cycle(name, epoch, cycles):
    later = epoch / 4 + 2 * HALF_CYCLE_EPOCHS * cycles
    assert rate(name, later) == pytest.approx(rate(name, epoch / 4), rel=1e-12)


@given(epoch=epochs)
@settings(deadline=None, max_examples=100)
def test_triangular_rates_follow_the_published_formula(epoch):
    assert rate("triangular", epoch) == pytest.approx(smith(epoch, lambda cycle: 1), rel=1e-9)
    halved = smith(epoch, lambda cycle: 0.5 ** (cycle - 1))
    assert rate("triangular2", epoch) == pytest.approx(halved, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "values_at_even_epochs"),
    [
        ("constant", [1, 1, 1, 1, 1, 1, 1]),
        ("triangular", [0, 0.5, 1, 0.5, 0, 0.5, 1]),
        ("triangular2", [0, 0.5, 1, 0.5, 0, 0.25, 0.5]),
        ("exp_range", [0, 2**-3, 2**-4, 2**-7, 0, 2**-11, 2**-12]),
        ("one_cycle", [0, 0.5, 1, 0.5, 0, 0, 0]),
        ("cosine", [1, (2 + 2**0.5) / 4, 0.5, (2 - 2**0.5) / 4, 1, (2 + 2**0.5) / 4, 0.5]),
    ],
)
def test_rates_worked_by_hand(name, values_at_even_epochs):
    shape = schedules.Cycle(0.0, 1.0, 4.0, epochs=14, gamma=0.5)
    found = [schedules.RATES[name](epoch, shape) for epoch in range(0, 14, 2)]
    assert found == pytest.approx(values_at_even_epochs, abs=1e-12)


@given(epoch=st.integers(0, 400), steps=st.integers(1, 50))
def test_exp_range_is_the_papers_with_gamma_by_iteration(epoch, steps):
    """gamma of the paper multiplies once an iteration; ours once an epoch of `steps` of them."""
    by_iteration = GAMMA ** (1 / steps)
    amplitude = by_iteration ** (epoch * steps)
    expected = smith(epoch, lambda cycle: amplitude)
    assert rate("exp_range", epoch) == pytest.approx(expected, rel=1e-9)


def test_one_cycle_falls_to_a_hundredth_after_its_cycle():
    found = [rate("one_cycle", epoch, epochs=10) for epoch in (0, 4, 8, 9, 10, 99)]
    fallen = 0.01 * SMALLEST
    expected = [SMALLEST, LARGEST, SMALLEST, (SMALLEST + fallen) / 2, fallen, fallen]
    assert found == pytest.approx(expected)
    assert rate("one_cycle", 8, epochs=8) == pytest.approx(fallen)


def test_cycles_are_counted_when_they_end():
    assert [schedules.cycles(epoch, cycle()) for epoch in (0, 7.9, 8, 15.9, 16)] == [0, 0, 1, 1, 2]


def test_cosine_nears_the_smallest_before_it_restarts():
    assert rate("cosine", 8 - 1e-9) == pytest.approx(SMALLEST)
    assert rate("cosine", 8) == LARGEST


def test_line_slides_from_the_first_epoch_to_the_last():
    found = [schedules.line(epoch, 5, 0.8, 0.6) for epoch in (0, 1, 2.5, 4, 4.9, 9)]
    assert found == pytest.approx([0.8, 0.75, 0.675, 0.6, 0.6, 0.6])


def test_line_of_one_epoch_is_its_start():
    assert schedules.line(0, 1, 0.8, 0.6) == 0.8


PHASES = [
    (0, 0, {"weighted_bce": 1.0}),
    (4, 2, {"weighted_bce": 0.5, "soft_dice": 1.0}),
    (8, 4, {"lovasz_hinge": 1.0}),
]


@pytest.mark.parametrize(
    ("epoch", "weighted_bce", "soft_dice", "lovasz_hinge"),
    [
        (0, 1, 0, 0),
        (3.99, 1, 0, 0),
        (4, 1, 0, 0),
        (5, 0.75, 0.5, 0),
        (6, 0.5, 1, 0),
        (7.5, 0.5, 1, 0),
        (9, 0.375, 0.75, 0.25),
        (12, 0, 0, 1),
        (100, 0, 0, 1),
    ],
)
def test_term_weights_worked_by_hand(epoch, weighted_bce, soft_dice, lovasz_hinge):
    assert schedules.term_weights(epoch, PHASES) == pytest.approx(
        {"weighted_bce": weighted_bce, "soft_dice": soft_dice, "lovasz_hinge": lovasz_hinge}
    )


def test_a_phase_cut_short_hands_over_what_it_reached():
    phases = [(0, 0, {"a": 1.0}), (2, 4, {"b": 1.0}), (4, 2, {"a": 1.0})]
    assert schedules.term_weights(4, phases) == pytest.approx({"a": 0.5, "b": 0.5})
    assert schedules.term_weights(5, phases) == pytest.approx({"a": 0.75, "b": 0.25})
    assert schedules.term_weights(6, phases) == pytest.approx({"a": 1.0, "b": 0.0})


def test_a_phase_without_a_ramp_swaps_at_its_start():
    phases = [(0, 0, {"a": 1.0}), (3, 0, {"b": 2.0})]
    assert schedules.term_weights(2.999, phases) == {"a": 1.0, "b": 0.0}
    assert schedules.term_weights(3, phases) == {"a": 0.0, "b": 2.0}


def test_the_first_phase_is_in_force_from_the_start_whatever_its_ramp():
    assert schedules.term_weights(0, [(0, 5, {"a": 1.0})]) == {"a": 1.0}


@given(phases=curricula(), epoch=epochs)
@settings(deadline=None, max_examples=100)
def test_term_weights_stay_between_those_of_the_phases(phases, epoch):
    found = schedules.term_weights(epoch, phases)
    assert set(found) == {term for _, _, own in phases for term in own}
    for term, weight in found.items():
        own = [own.get(term, 0.0) for _, _, own in phases]
        assert min(own) - 1e-9 <= weight <= max(own) + 1e-9


@given(phases=curricula(), epoch=epochs)
@settings(deadline=None, max_examples=100)
def test_term_weights_settle_on_the_last_phase(phases, epoch):
    from_epoch, ramp_epochs, own = phases[-1]
    found = schedules.term_weights(from_epoch + ramp_epochs + 1 + epoch, phases)
    assert found == pytest.approx({term: own.get(term, 0.0) for term in found}, abs=1e-9)


def test_groups_train_from_their_epoch_on():
    from_epoch = {"stride32": 1, "stride16": 2, "stride8": 2}
    assert schedules.unfrozen(0, from_epoch) == ()
    assert schedules.unfrozen(1.5, from_epoch) == ("stride32",)
    assert schedules.unfrozen(2, from_epoch) == ("stride32", "stride16", "stride8")


def test_no_steps_need_no_warm_up():
    assert schedules.warm_up(10, 10, 0) == 1.0


def test_warm_up_climbs_to_one_and_stays():
    found = [schedules.warm_up(step, 10, 4) for step in (10, 11, 12, 13, 14, 1000)]
    assert found == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_own_bias_correction_makes_the_first_move_of_a_late_group_one_learning_rate():
    # Adam's first move of zero moments, at the global step t: (1 - b1) / sqrt(1 - b2) times the
    # correction of t; it is one learning rate at t = 1.
    step, beta_1, beta_2 = 5000, 0.9, 0.999
    uncorrected = (1 - beta_1) / math.sqrt(1 - beta_2)
    uncorrected *= math.sqrt(1 - beta_2 ** (step + 1)) / (1 - beta_1 ** (step + 1))
    assert uncorrected > 3
    assert uncorrected * schedules.own_bias_correction(step, step, beta_1, beta_2) == pytest.approx(
        1, rel=1e-12
    )


@given(st.integers(0, 10**6))
def test_own_bias_correction_of_a_group_that_trains_from_the_start_is_one(step):
    assert schedules.own_bias_correction(step, 0, 0.9, 0.999) == 1
