import shutil

import numpy as np
import pytest

from tests.operating_point import make_maps
from tests.studies.report import make_study
from tfptx.operating_point import assessment
from tfptx.studies import assessments
from tfptx.studies.report import collection, image_sets, tables


@pytest.fixture
def numbers(tmp_path, maps_folder):
    make_study.write_sweeps(tmp_path / "study", maps_folder, ["joint"])
    return tables.read(tmp_path / "study")


def test_the_maps_of_a_sweep_are_those_that_its_point_was_chosen_on(numbers, maps_folder):
    found = collection.swept(numbers.sweeps["joint"], make_study.unheard)
    assert found.is_chosen_on
    assert (found.name, len(found)) == ("maps", len(make_study.IMAGES))
    truths = [side_px**2 for _, side_px, _ in make_study.IMAGES]
    assert found.truth_px.tolist() == truths
    assert collection.judged(
        [maps_folder], numbers.sweeps["joint"].point, make_study.unheard
    ).is_chosen_on


def test_other_maps_than_those_swept_are_refused(numbers, maps_folder):
    levels = np.load(maps_folder / "levels.npy")
    np.save(maps_folder / "levels.npy", levels // 2)
    with pytest.raises(ValueError, match="other maps than those that were swept"):
        collection.swept(numbers.sweeps["joint"], make_study.unheard)
    point = numbers.sweeps["joint"].point
    assert collection.judged([maps_folder], point, make_study.unheard).is_chosen_on is False
    unsaid = point.model_copy(update={"maps": None})
    assert collection.judged([maps_folder], unsaid, make_study.unheard).is_chosen_on is None


@pytest.mark.parametrize(("image_id", "is_chosen_on"), [("found", True), ("another", False)])
def test_maps_that_share_an_image_with_the_sweep_are_none_to_judge_on(
    tmp_path, numbers, image_id, is_chosen_on
):
    levels, truths = make_maps.draw(0, [(32, 32)])
    others = make_maps.write(tmp_path / "others", levels, truths, [image_id])
    found = image_sets.find(numbers, tmp_path / "study", [others], make_study.unheard)
    assert found.judged.is_chosen_on == is_chosen_on
    assert found.shown is found.judged


def test_maps_of_an_assessment_in_the_study_are_found(tmp_path, numbers, maps_folder):
    levels, truths = make_maps.draw(0, [(32, 32)])
    others = make_maps.write(tmp_path / "others", levels, truths)
    point, options = numbers.sweeps["joint"].point, assessment.Options()
    study = tmp_path / "study"
    for name, folder, is_found in (("again", maps_folder, False), ("test", others, True)):
        found = assessment.assess([folder], point, options, lambda share: None)
        assessments.write(study / name, found, point, [folder], options)
        images = image_sets.find(numbers, study, [], make_study.unheard)
        assert (images.judged is not None) == is_found
    assert images.judged.is_chosen_on is False
    assert [each.name for each in images.collections] == ["maps", "others"]
    shutil.rmtree(others)
    assert image_sets.find(numbers, study, [], make_study.unheard).judged is None
