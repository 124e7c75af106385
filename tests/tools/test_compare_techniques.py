"""The arms of the comparison and its table; that it runs is seen where its figures are made."""

import runpy

import numpy as np
import pandas as pd
import pytest

from tests.conftest import REPOSITORY
from tfptx import config
from tfptx.studies import assessments

TOOLS = REPOSITORY / "tools"


@pytest.fixture(scope="module")
def techniques():
    return runpy.run_path(str(TOOLS / "compare_techniques"))


def trained_pixels(stage):
    return stage.epochs * stage.size_px**2


@pytest.mark.parametrize("path", sorted(TOOLS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_study_of_a_tool_is_valid(path):
    assert config.read(path).plan("1").size_px


def test_each_arm_lacks_one_technique_and_keeps_the_budget(techniques):
    arms = {name: techniques["study_of"](arm, 1) for name, arm in techniques["ARMS"].items()}
    whole = arms.pop("all techniques").stage
    for study in arms.values():
        for name, stage in study.stage.items():
            assert trained_pixels(stage) == trained_pixels(whole[name])
    changed = {
        arm: {
            (name, field)
            for name, stage in study.stage.items()
            for field, value in stage
            if value != getattr(whole[name], field)
        }
        for arm, study in arms.items()
    }
    assert changed["no unfreezing"] == {("1", "unfreezing"), ("2", "unfreezing")}
    assert changed["no cycle"] == {("1", "rate"), ("2", "rate")}
    assert changed["no curriculum"] == {("1", "curriculum"), ("2", "curriculum")}
    assert {name for name, _ in changed["small size alone"]} == {"2"}
    assert {study.seed for study in arms.values()} == {1}
    # One cycle of triangles from 1e-5 to 5e-4 and back.
    constant = arms["no cycle"].stage["2"].rate
    assert constant.schedule == "constant"
    assert constant.largest == pytest.approx((1e-5 + 5e-4) / 2, rel=1e-3)


def test_the_table_has_means_over_seeds_and_paired_gains(techniques, tmp_path):
    num_images = 20
    images = pd.DataFrame(
        {
            "patient_id": [f"p{index // 2}" for index in range(num_images)],
            "truth_px": np.arange(num_images) % 4,
        }
    )
    names = [*techniques["ARMS"], techniques["FIRST_STAGE"]]
    for place, name in enumerate(names):
        for seed in (0, 1):
            folder = techniques["place"](tmp_path, name, seed) / "test"
            folder.mkdir(parents=True)
            dice = 0.8 - 0.1 * place + 0.02 * seed
            images.assign(dice=dice).to_csv(folder / assessments.IMAGES, index=False)
    found = techniques["table"](tmp_path, 2).set_index("arm")
    assert found.loc["nothing, ever", "mean_dice"] == 0.25
    for place, name in enumerate(names):
        row = found.loc[name]
        assert row["mean_dice"] == pytest.approx(0.81 - 0.1 * place)
        assert row["positive_dice"] == pytest.approx(row["mean_dice"])
        assert row["gain_of_all"] == pytest.approx(0.1 * place)
        assert row["gain_low"] <= row["gain_of_all"] + 1e-9
    assert found.loc["no unfreezing", "of_seeds"] == "0.7000 0.7200"
    assert techniques["draw"](found.reset_index()).axes
