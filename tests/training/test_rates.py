import pytest

from tests.conftest import REPOSITORY
from tfptx import config, schedules
from tfptx.stage_config import RateName
from tfptx.training import rates


def plan(**changes):
    settings = config.read(REPOSITORY / "configs" / "resnet34.toml").plan("1")
    rate = settings.rate.model_copy(update={"smallest": 1e-5, "largest": 1e-3, **changes})
    return settings.model_copy(update={"epochs": 10, "rate": rate})


@pytest.mark.parametrize("name", RateName.__args__)
def test_the_configs_names_are_the_schedules(name):
    settings = plan(schedule=name, half_cycle_epochs=2.0, gamma=0.9)
    cycle = schedules.Cycle(1e-5, 1e-3, 2.0, 10, 0.9)
    for epoch in (0, 0.5, 2, 3.25, 5, 9.5):
        assert rates.at(settings, epoch, 1000) == schedules.RATES[name](epoch, cycle)


def test_the_rate_climbs_over_the_warm_up():
    settings = plan(schedule="constant", warm_up_steps=4)
    found = [rates.at(settings, 0.0, step) for step in range(6)]
    assert found == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3])


def test_the_warm_up_counts_steps_of_the_optimizer():
    settings = plan(schedule="constant", warm_up_steps=2)
    settings = settings.model_copy(update={"accumulated_batches": 3})
    found = [rates.at(settings, 0.0, step) for step in range(7)]
    assert found == pytest.approx([0.5e-3] * 3 + [1e-3] * 4)


@pytest.mark.parametrize(
    ("half_cycle_epochs", "ends"),
    [(1.0, [1, 3, 5, 7, 9]), (0.75, [1, 2, 4, 5, 7, 8]), (0.25, list(range(10))), (6.0, [])],
)
def test_a_cycle_ends_with_or_within_an_epoch(half_cycle_epochs, ends):
    settings = plan(schedule="triangular", half_cycle_epochs=half_cycle_epochs)
    assert [epoch for epoch in range(10) if rates.ends_cycle(settings, epoch)] == ends
