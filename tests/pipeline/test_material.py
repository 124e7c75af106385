"""What a fit on several records trains on: that it has each one's share, and nothing held out."""

import pytest

from tests.pipeline import make_records
from tests.tiny_study import study
from tfptx.pipeline import batches
from tfptx.pipeline.material import Further, Material
from tfptx.records import manifest as manifests
from tfptx.records import schema

PLAN = study("stage.1.batch_size=4")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    return make_records.build_records(folder, 9, 21, test_share=0.1)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Records of which some images have the ids, and as it happens the patients, of the first."""
    return make_records.build_records(tmp_path_factory.mktemp("other"), 12, 40)


def unseen(records):
    """What is not trained on where fold 0 is held out."""
    table = manifests.read_examples(records)
    return table[table["fold"].isin([0, -1])]


def drawn_ids(material, epoch=0):
    num_steps = batches.num_steps(material, PLAN, "1", epoch)
    return [batches.image_ids(material, PLAN, "1", epoch, batch) for batch in range(num_steps)]


def test_what_is_held_out_of_the_first_is_trained_on_from_none(first, other):
    left_out = set(unseen(first)["image_id"])
    further = set(manifests.read_examples(other)["image_id"])
    assert left_out & further
    material = Material(first, 0, (Further(other, 0.8),))
    for epoch in range(3):
        drawn = {image_id for batch in drawn_ids(material, epoch) for image_id in batch}
        assert not drawn & left_out
        assert drawn & (further - set(manifests.read_examples(first)["image_id"]))


def test_a_patient_who_is_held_out_is_so_under_other_image_ids(first, tmp_path):
    table = manifests.read_examples(first)
    patients = dict(zip(("image40", "image45"), unseen(first)["patient_id"], strict=False))
    assert not set(patients) & set(table["image_id"])
    other = make_records.build_records(tmp_path, 4, 8, first_number=40, patients=patients)
    (beside,) = Material(first, 0, (Further(other, 0.5),)).beside
    kept = {schema.parse(place.read())["image_id"].numpy().decode() for place in beside.places}
    assert kept == set(manifests.read_examples(other)["image_id"]) - set(patients)
    assert beside.num_left_out == len(patients)
    assert beside.has_known_ids


def test_records_that_share_no_id_tell_so(first, tmp_path):
    other = make_records.build_records(tmp_path, 4, 8, first_number=60)
    (beside,) = Material(first, 0, (Further(other, 0.5),)).beside
    assert len(beside.places) == 12
    assert not beside.num_left_out
    assert not beside.has_known_ids


def test_a_share_that_is_less_than_an_example_is_refused(first, other):
    material = Material(first, 0, (Further(other, 0.004), Further(other, 0.3)))
    with pytest.raises(ValueError, match=r"a share of 0\.004 of an epoch is no example of"):
        batches.num_steps(material, PLAN, "1", 0)


def test_an_epoch_is_whole_batches_of_all_records_in_their_shares(first, other):
    material = Material(first, 0, (Further(other, 0.5),))
    alone, together = drawn_ids(Material(first, 0)), drawn_ids(material)
    assert {len(batch) for batch in together} == {4}
    num_own = sum(map(len, alone))
    assert sum(map(len, together)) == pytest.approx(2 * num_own, abs=4)
    assert drawn_ids(material) == together
    assert drawn_ids(material, 1) != together
    own = {image_id for batch in alone for image_id in batch}
    everything = [image_id for batch in together for image_id in batch]
    assert own <= set(everything)
    mixed = [0 < len(set(batch) & own) < 4 for batch in together]
    assert any(mixed), "the records are shuffled into each other"


@pytest.mark.parametrize("shares", [(0.0,), (1.0,), (0.6, 0.4), (-0.1,), (float("nan"),)])
def test_shares_that_leave_nothing_are_refused(first, other, shares):
    with pytest.raises(ValueError, match="shares above 0 that sum up to less than 1"):
        Material(first, 0, tuple(Further(other, share) for share in shares))


def test_records_that_hold_nothing_else_are_refused(first, tmp_path):
    held_out = unseen(first)["patient_id"].tolist()
    patients = {f"image{40 + index}": held_out[index % 2] for index in range(6)}
    other = make_records.build_records(
        tmp_path, 3, 3, first_number=40, patients=patients, num_folds=2
    )
    with pytest.raises(ValueError, match="is of a patient that is held out elsewhere"):
        _ = Material(first, 0, (Further(other, 0.5),)).beside
