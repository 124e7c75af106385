"""The arithmetic of the plan; what it measures is seen where its figures are made."""

import runpy

import pytest

from tests.conftest import REPOSITORY
from tfptx import config

TOOLS = REPOSITORY / "tools"


@pytest.fixture(scope="module")
def plan():
    return runpy.run_path(str(TOOLS / "plan_training"))


def test_a_stage_of_the_plan_is_worked_out_by_hand(plan):
    overrides = ("stage.2.epochs=2", "stage.2.positive_share={start=0.5, end=0.5}")
    stage = config.read(TOOLS / "compare_techniques.toml", overrides).plan("2")
    # Of 100 positives 80 are trained on, with as many negatives, in 40 batches of 4.
    needed = plan["work"](stage, 100, 300, 5)
    assert (needed.trained, needed.predicted, needed.steps) == (2 * 160, 2 * 80, 2 * 40)
    measured = plan["Measured"](10**9, 1.0, 2.0, 3.0, 40.0, 100.0)
    device = plan["Device"]("two", 2, 0.5, 8)  # which reach 1e11 operations a second
    row = plan["estimate"](device, 4, needed, measured, 0.1)
    assert row["hours"] == pytest.approx((3 * 320 + 160) * 1e9 / 1e11 / 3600)
    # 33.3 trained images a second of 40 a core, 100 predicted ones of 100.
    assert row["cores"] == 1
    assert row["images a device"] == 2
    assert row["GB"] == 3
    assert row["fits"]
