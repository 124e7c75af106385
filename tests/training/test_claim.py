import pytest

from tests import tiny_study
from tfptx import files, runs
from tfptx.training import claim
from tfptx.training.devices import ONE, Devices

MADE_FROM = {"records": "r", "initial_weights": "w"}


@pytest.fixture
def folder(tmp_path):
    """The folder of a fit that has come to its first state."""
    found = runs.stage_folder(tmp_path, 0, "1")
    claim.write(found, tiny_study.study(), {**MADE_FROM, **ONE.facts()})
    found.state.mkdir()
    return found


def test_what_shapes_the_result_of_the_stage_may_not_change(folder):
    claim.check(folder, tiny_study.study(), MADE_FROM)
    for override in (
        "seed=3",
        "augmentation.tone=0.1",
        "operating_point.min_pixels=0,9",
        "stage.1.rate.largest=0.5",
        "stage.1.checkpoints.best=2",
    ):
        with pytest.raises(ValueError, match="holds a fit of another config; name another"):
            claim.check(folder, tiny_study.study(override), MADE_FROM)
    for name, words in (("records", "records"), ("initial_weights", "initial weights")):
        with pytest.raises(ValueError, match=f"holds a fit from other {words}; give those"):
            claim.check(folder, tiny_study.study(), MADE_FROM | {name: "other"})


def test_other_stages_and_the_keeping_of_states_may_change(folder):
    for override in ("stage.2.epochs=9", "stage.1.checkpoint_every_steps=7", "name=other"):
        claim.check(folder, tiny_study.study(override), MADE_FROM)


def test_a_folder_without_a_state_is_nobodys(folder):
    folder.state.rmdir()
    claim.check(folder, tiny_study.study("seed=3"), {})


def test_changes_of_versions_and_code_are_told_once(folder):
    assert claim.renew(folder, tiny_study.study(), ONE) == []
    environment = runs.read_environment(folder)
    environment["packages"]["numpy"] = "1.0"
    environment["code"] = "other"
    files.write_json(folder.environment_json, environment)
    told = claim.renew(folder, tiny_study.study("stage.2.epochs=9"), ONE)
    assert len(told) == 2
    assert told[0].startswith("numpy 1.0 is now ")
    assert told[1] == "the code of tfptx is another"
    assert claim.renew(folder, tiny_study.study(), ONE) == []
    assert len(runs.read_environment(folder)["continued"]) == 1


def test_other_devices_are_told_where_a_fit_goes_on(folder):
    two = Devices(("cpu:0", "cpu:1"))
    assert claim.renew(folder, tiny_study.study(), two) == ["devices 1 is now 2"]
    first = runs.read_environment(folder)
    assert (first["backend"], first["devices"], first["processes"]) == ("tensorflow", 1, 1)
    assert [each["devices"] for each in first["continued"]] == [2]
    assert claim.renew(folder, tiny_study.study(), two) == []
