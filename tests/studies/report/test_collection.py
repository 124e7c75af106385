import shutil

import numpy as np
import pandas as pd
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


def judged_on(numbers, study, *folders):
    return image_sets.find(numbers, study, folders, make_study.unheard).judged


def alter(folder):
    """One level of the maps is another."""
    levels = np.load(folder / "levels.npy")
    levels[0] ^= 1
    np.save(folder / "levels.npy", levels)


def test_the_maps_of_a_sweep_are_those_that_its_point_was_chosen_on(numbers, tmp_path, maps_folder):
    found = collection.swept(numbers.sweeps["joint"], make_study.unheard)
    assert found.origin == "chosen"
    assert (found.name, len(found)) == ("maps", len(make_study.IMAGES))
    truths = [side_px**2 for _, side_px, _ in make_study.IMAGES]
    assert found.truth_px.tolist() == truths
    assert judged_on(numbers, tmp_path / "study", maps_folder).origin == "shared"


def test_other_maps_than_those_swept_are_refused(numbers, maps_folder):
    alter(maps_folder)
    with pytest.raises(ValueError, match="other maps than those that were swept"):
        collection.swept(numbers.sweeps["joint"], make_study.unheard)


def test_where_the_swept_maps_are_gone_other_fingerprints_prove_nothing(
    numbers, tmp_path, maps_folder
):
    copy = shutil.copytree(maps_folder, tmp_path / "copy")
    shutil.rmtree(maps_folder)
    assert judged_on(numbers, tmp_path / "study", copy).origin == "shared"
    alter(copy)
    judged = judged_on(numbers, tmp_path / "study", copy)
    assert judged.origin == "unknown"
    assert "not known" in judged.words


@pytest.mark.parametrize(("image_id", "origin"), [("found", "shared"), ("another", "apart")])
def test_maps_that_share_an_image_with_the_sweep_are_none_to_judge_on(
    tmp_path, numbers, image_id, origin
):
    levels, truths = make_maps.draw(0, [(32, 32)])
    others = make_maps.write(tmp_path / "others", levels, truths, [image_id])
    found = image_sets.find(numbers, tmp_path / "study", [others], make_study.unheard)
    assert found.judged.origin == origin
    assert found.shown is found.judged


def test_maps_of_a_swept_patient_are_not_said_to_be_independent(tmp_path, numbers):
    levels, truths = make_maps.draw(0, [(32, 32)])
    others = make_maps.write(tmp_path / "others", levels, truths)
    index = pd.read_csv(others / "index.csv")
    for patient_id, origin in (("patient of found", "shared"), ("", "apart")):
        index.assign(patient_id=patient_id).to_csv(others / "index.csv", index=False)
        assert judged_on(numbers, tmp_path / "study", others).origin == origin


def test_the_points_of_all_sweeps_are_asked_where_they_were_chosen(tmp_path, numbers):
    levels, truths = make_maps.draw(0, [(32, 32)] * 3)
    others = make_maps.write(tmp_path / "others", levels, truths)
    study = tmp_path / "study"
    assert judged_on(numbers, study, others).origin == "apart"
    make_study.write_sweeps(study, others, ["threshold"])
    numbers = tables.read(study)
    assert judged_on(numbers, study, others).origin == "shared"
    copy = shutil.copytree(others, tmp_path / "copy")
    shutil.rmtree(others)
    alter(copy)
    assert judged_on(numbers, study, copy).origin == "unknown"


def test_folders_that_are_called_alike_are_told_apart(tmp_path, numbers):
    levels, truths = make_maps.draw(0, [(32, 32)])
    others = make_maps.write(tmp_path / "test" / "maps", levels, truths)
    found = image_sets.find(numbers, tmp_path / "study", [others], make_study.unheard)
    assert found.chosen.name == f"{tmp_path.name}/maps"
    assert found.judged.name == "test/maps"


@pytest.mark.parametrize(("runs", "is_same"), [(["a" * 64], True), (["b" * 64], False), ([], None)])
def test_maps_are_asked_which_networks_made_them(tmp_path, numbers, runs, is_same):
    levels, truths = make_maps.draw(0, [(32, 32)])
    others = make_maps.write(tmp_path / "others", levels, truths, runs=runs)
    found = image_sets.find(numbers, tmp_path / "study", [others], make_study.unheard)
    assert found.is_of_same_networks is is_same


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
    assert images.judged.origin == "apart"
    assert [each.name for each in images.collections] == ["maps", "others"]
    shutil.rmtree(others)
    assert image_sets.find(numbers, study, [], make_study.unheard).judged is None
