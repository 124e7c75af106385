"""The card of an export that was never saved: what it tells of a run, a study and their lacks."""

import re

import pandas as pd
import pytest

from tests import unfitted_run
from tfptx import runs
from tfptx.operating_point.tables import Point
from tfptx.serving import claim, model_card
from tfptx.serving.answers import Answer
from tfptx.serving.card_facts import Facts
from tfptx.serving.judgement import Judgement
from tfptx.serving.trial import Trial

TRIED = Trial(Answer(b"", 0, False, 0.0), 2.5, 0.125, 57_000_000)
CHOSEN = Point(threshold=0.55, min_pixels=2000, size_px=1024, mean_dice=0.8123, num_images=6)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    run = unfitted_run.write_run(tmp_path_factory.mktemp("run"), "f" * 64)
    return [runs.finished(run, fold, "2") for fold in (0, 1)]


@pytest.fixture
def judgement():
    figures = pd.DataFrame(
        {
            "figure": ["mean_dice", "ppv"],
            "value": [0.7812, float("nan")],
            "low": [0.75, float("nan")],
            "high": [0.8, float("nan")],
            "all_empty": [0.77, float("nan")],
        }
    )
    numbers = {
        f"{name}{end}": [0.5]
        for name in ("mean_dice", "positive_dice", "sensitivity", "specificity")
        for end in ("", "_low", "_high")
    }
    group = {"column": ["sex"], "value": ["F"], "num_images": [2], "num_positives": [1]}
    images = pd.DataFrame(
        {
            "patient_id": ["a", "a", "b"],
            "truth_px": [0, 5, 0],
            "sex": ["F", "F", None],
            "view": ["PA", "AP", "PA"],
            "age": [20, 20, 61],
        }
    )
    return Judgement("test", figures, pd.DataFrame(group | numbers), images, False)


def test_the_card_tells_of_data_training_point_and_limits(folders):
    card = model_card.text(Facts(folders, CHOSEN, True, 64, False, TRIED))
    for each in folders:
        assert runs.fingerprint(each)[:16] in card
    for text in (
        "no medical device",
        "ffffffffffffffff",  # of the records
        "0: weighted_bce; 8: weighted_bce, soft_dice; 20: lovasz_hinge",
        "began from random numbers",
        "probability of 0.55",
        "mean Dice 0.8123",
        "the mean over 2 networks",
        "was not judged on other images",
        "57 MB on disk",
        "took 125 ms",
        "after loading 2500 ms",
    ):
        assert text in card, text
    assert "ImageNet gives" not in card
    assert "XLA" not in card


def test_what_was_judged_stands_with_people_and_subgroups(folders, judgement):
    facts = Facts(folders, CHOSEN, True, 64, True, TRIED, [judgement])
    card = model_card.text(facts)
    people = "3 images of 2 patients, 1 with a pneumothorax; sex F 2, unknown 1; view PA 2, AP 1"
    assert f"Judged in test: {people}; age 20 to 61, median 20." in card
    assert "It was not chosen on these images." in card
    assert "| mean dice | 0.7812 (0.7500 to 0.8000) | 0.7700 |" in card
    assert "| ppv" not in card
    assert "| sex F | 2 | 1 | 0.5000 (0.5000 to 0.5000) |" in card
    assert "XLA compiles the networks" in card
    empty = Judgement("plain", judgement.figures, pd.DataFrame(), judgement.images, None)
    bare = model_card.text(Facts(folders, CHOSEN, True, 64, True, TRIED, [empty]))
    assert "Subgroups: none" in bare


def test_the_checklist_is_whole_and_says_what_is_open(folders, judgement):
    bare = claim.checklist(Facts(folders, CHOSEN, True, 64, False, TRIED))
    full = claim.checklist(Facts(folders, CHOSEN, True, 64, False, TRIED, [judgement]))
    for text in (bare, full):
        numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
        assert numbers == list(range(1, 43))
        filled = 42 - text.count(claim.OPEN)
        assert text.startswith(f"{filled} of 42")
    assert bare.count(claim.OPEN) == full.count(claim.OPEN) + 3


def test_the_card_tells_what_the_networks_started_from(folders, tmp_path):
    run = unfitted_run.write_run(tmp_path / "run", "f" * 64, folds=[0])
    folder = runs.finished(run, 0, "2")
    own = {"network": "c" * 64, "records": "f" * 64, "fold": 0, "encoder_weights": "random"}
    before = {"network": "d" * 64, "records": "e" * 64, "fold": 0, "encoder_weights": "imagenet"}
    for lineage, is_pretrained in (([own], False), ([before, own], True)):
        runs.write_environment(folder, {"records": "f" * 64, "started_from": lineage})
        card = model_card.text(Facts([folder], CHOSEN, True, 64, False, TRIED))
        began = "all layers began from a network fitted to the records eeeeeeee"
        assert (began in card) == is_pretrained
        assert ("ImageNet gives" in card) == is_pretrained
        assert ("fitted to other records" in card) == is_pretrained


def test_the_card_tells_of_further_records_of_either_stage(folders, tmp_path):
    run = unfitted_run.write_run(tmp_path / "run", "f" * 64, folds=[0])
    folder = runs.finished(run, 0, "2")
    records = {"records": "f" * 64, "fold": 0, "encoder_weights": "random"}
    own = {
        **records,
        "network": "c" * 64,
        "further_records": f"0.3 of {'e' * 64} 0.1 of {'d' * 64}",
    }
    runs.write_environment(folder, {"records": "f" * 64, "started_from": [own]})
    card = model_card.text(Facts([folder], CHOSEN, True, 64, False, TRIED))
    fs, es, ds = (16 * letter for letter in "fed")
    assert f"| {fs}, 30% of {es}, 10% of {ds}, then {fs} |" in card
    assert "those of the further records" in card
    plain = model_card.text(Facts(folders, CHOSEN, True, 64, False, TRIED))
    assert "those of the further records" not in plain
