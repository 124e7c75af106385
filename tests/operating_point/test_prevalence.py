import numpy as np
import pytest

from tfptx.operating_point import prevalence
from tfptx.operating_point.intervals import Bootstrap

# 8 of 10 positives found, 3 of 30 negatives too.
IS_POSITIVE = np.repeat([True, False], [10, 30])
IS_FOUND = np.concatenate([np.arange(10) < 8, np.arange(30) < 3])
DRAWN = Bootstrap([str(number) for number in range(40)], 200)


def test_predictive_values_here_are_counted():
    ppv, npv = prevalence.predictive_values(DRAWN, IS_FOUND, IS_POSITIVE)
    assert float(ppv.value) == pytest.approx(8 / 11)
    assert float(npv.value) == pytest.approx(27 / 29)


@pytest.mark.parametrize(("share", "ppv", "npv"), [(0.25, 8 / 11, 27 / 29), (0.05, 0.2963, 0.9884)])
def test_bayes_gives_those_of_another_prevalence(share, ppv, npv):
    """At the data set's own both ways agree; 0.05 is 0.04 / 0.135 and 0.855 / 0.865 by hand."""
    rates = DRAWN.share(IS_FOUND, IS_POSITIVE), DRAWN.share(~IS_FOUND, ~IS_POSITIVE)
    found = prevalence.predictive_values_at(share, *rates)
    assert [each.value for each in found] == pytest.approx([ppv, npv], abs=1e-4)
    for each in found:
        assert each.low < each.value < each.high


def test_rates_that_do_not_move_leave_predictive_values_unsure():
    """All 10 positives found: the least NPV is that of the least rates, each of 97.5 %."""
    rates = DRAWN.share(IS_POSITIVE, IS_POSITIVE), DRAWN.share(~IS_FOUND, ~IS_POSITIVE)
    ppv, npv = prevalence.predictive_values_at(0.05, *rates)
    sensitivity, specificity = 0.0125 ** (1 / 10), float(rates[1].interval(level=0.975)[0])
    right, wrong = 0.95 * specificity, 0.05 * (1 - sensitivity)
    assert npv.value == npv.high == 1
    assert npv.low == pytest.approx(right / (right + wrong))
    assert ppv.low < ppv.value < ppv.high


def test_a_prevalence_lies_between_0_and_1():
    with pytest.raises(ValueError, match="the prevalence is 1"):
        prevalence.predictive_values_at(1, DRAWN.mean(IS_FOUND), DRAWN.mean(IS_FOUND))
