import shutil

import pytest

from tests import tiny_study
from tfptx import runs
from tfptx.inference import load
from tfptx.pipeline.material import Further, Material
from tfptx.training import start
from tfptx.training.fit import fit


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return tiny_study.write_records(tmp_path_factory.mktemp("phantoms"))


@pytest.fixture(scope="module")
def others(records, tmp_path_factory):
    """Records with other folds of the same radiographs."""
    return tiny_study.divide_anew(records, tmp_path_factory.mktemp("others") / "records")


def run_fit(records, run, pretrained=None, stage="1", *overrides, further=()):
    settings = tiny_study.study("stage.1.epochs=1", *overrides)
    material = Material(records, 0, further)

    def unseen(_):
        """Show nothing."""

    return fit(settings, material, run, stage, unseen, unseen, pretrained=pretrained)


@pytest.fixture(scope="module")
def pretrained(others, tmp_path_factory):
    """A run with one fold, fitted on the other records."""
    run = tmp_path_factory.mktemp("pretrained")
    run_fit(others, run)
    return run


def test_a_fit_begins_with_the_weights_of_another_run(records, pretrained, tmp_path):
    # With next to no rate what it ends with is what it began with, but for batch norm's statistics.
    still = ("stage.1.rate.smallest=0.0", "stage.1.rate.largest=1e-30")
    folder = run_fit(records, tmp_path, pretrained, "1", *still)
    before = runs.finished(pretrained, 0)
    found, wanted = (load.network(each).trainable_variables for each in (folder, before))
    for one, other in zip(found, wanted, strict=True):
        assert (one.numpy() == other.numpy()).all()
    told = runs.read_environment(folder)["initial_weights"]
    assert told == runs.fingerprint(before)


def test_a_fit_with_another_start_is_not_gone_on_with(records, pretrained, tmp_path):
    run_fit(records, tmp_path, pretrained)
    with pytest.raises(ValueError, match="holds a fit from other initial weights"):
        run_fit(records, tmp_path)


def test_the_same_fold_counts_where_the_other_run_has_it(records, pretrained, tmp_path):
    run = tmp_path / "run"
    for fold in ("fold0", "fold1"):
        shutil.copytree(pretrained / "fold0", run / fold)
    for fold in (0, 1):
        found = start.of(tmp_path, Material(records, fold), "1", run)
        assert found.path == run / f"fold{fold}" / "stage1"


def test_no_other_fold_is_chosen_from_several(records, pretrained, tmp_path):
    for fold in ("fold1", "fold2"):
        shutil.copytree(pretrained / "fold0", tmp_path / fold)
    with pytest.raises(ValueError, match="has the folds 1, 2, and not fold 0"):
        start.of(tmp_path / "new", Material(records, 0), "1", tmp_path)


def test_a_network_that_saw_what_is_held_out_is_refused(others, pretrained, tmp_path):
    with pytest.raises(ValueError, match=r"was fitted on what fold 1 of .* holds out"):
        start.of(tmp_path, Material(others, 1), "1", pretrained)


def test_a_network_that_saw_all_folds_as_further_records_is_refused(records, others, tmp_path):
    further = (Further(records, 0.3),)
    run = tmp_path / "run"
    run_fit(others, run, further=further)
    with pytest.raises(ValueError, match="was fitted on what fold 0"):
        start.of(tmp_path / "new", Material(records, 0), "1", run)


def test_what_the_start_started_from_counts_too(records, others, pretrained, tmp_path):
    run_fit(records, tmp_path / "middle", pretrained)
    (link,) = runs.read_environment(runs.finished(tmp_path / "middle", 0))["started_from"]
    assert link["network"] == runs.fingerprint(runs.finished(pretrained, 0))
    with pytest.raises(ValueError, match="or what it started from, was fitted on what fold 1"):
        start.of(tmp_path / "new", Material(others, 1), "1", tmp_path / "middle")


def test_a_run_can_not_start_from_itself(others, pretrained):
    with pytest.raises(ValueError, match="can't start from itself"):
        start.of(pretrained, Material(others, 0), "1", pretrained)


def test_stage_2_starts_from_its_own_stage_1(records, pretrained, tmp_path):
    with pytest.raises(ValueError, match="stage 2 starts from stage 1 of"):
        start.of(tmp_path, Material(records, 0), "2", pretrained)


def test_another_encoder_can_not_start_from_it(records, pretrained, tmp_path):
    with pytest.raises(ValueError, match=r"has the encoder resnet18, the config resnet34"):
        run_fit(records, tmp_path, pretrained, "1", "network.encoder=resnet34")


def test_a_run_that_has_not_begun_is_no_start(records, tmp_path):
    with pytest.raises(ValueError, match="no run at"):
        start.of(tmp_path, Material(records, 0), "1", tmp_path / "missing")
