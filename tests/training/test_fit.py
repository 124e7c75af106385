"""Both stages on a handful of phantoms: what a run holds, and that a cut one ends like a whole."""

import fcntl
import os
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests import tiny_study
from tests.pipeline import make_records
from tests.tiny_study import EPOCHS, study
from tfptx import files, runs
from tfptx.inference.networks import Manner
from tfptx.inference.predict import predict_maps
from tfptx.network import unet
from tfptx.operating_point import counts, grid, maps, sweep
from tfptx.pipeline import batches
from tfptx.pipeline.material import Further, Material
from tfptx.records import manifest as manifests
from tfptx.training import averaging, checkpoints, selection, state, validation
from tfptx.training.fit import fit
from tfptx.training.interruption import Interrupted
from tfptx.training.session import Session


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return tiny_study.write_records(tmp_path_factory.mktemp("phantoms"))


def run_fit(records, run, stage="1", advance=lambda share: None, **changes):
    rows = []
    fitted = changes.get("study", study())
    material = Material(records, changes.get("fold", 0), changes.get("further", ()))
    folder = fit(fitted, material, run, stage, advance, rows.append)
    return folder, rows


@pytest.fixture(scope="module")
def fitted(records, tmp_path_factory):
    """A whole stage 1."""
    run = tmp_path_factory.mktemp("runs")
    shares = []
    folder, rows = run_fit(records, run, advance=shares.append)
    assert sum(shares) == pytest.approx(1)
    return run, folder, rows


def test_a_run_holds_its_config_history_and_best_weights(fitted, records):
    _, folder, rows = fitted
    assert runs.read_study(folder) == study()
    history = runs.read_history(folder)
    assert history["epoch"].tolist() == list(range(EPOCHS))
    assert history["trainable_groups"].tolist() == ["decoder", "decoder+stride32+stride16+stride8"]
    assert (history["weighted_bce_weight"] == 1).all()
    assert [row["val_mean_dice"] for row in rows] == history["val_mean_dice"].tolist()
    result = runs.read_result(folder)
    best = history.loc[result["epoch"]]
    assert result["mean_dice"] == history["val_mean_dice"].max() == best["val_mean_dice"]
    assert not folder.state.exists()
    assert list(folder.logs.iterdir())


def test_the_best_weights_score_what_the_result_says(fitted, records, tmp_path):
    """The score of the fit is that of predict-maps and sweep, in every digit."""
    run, folder, _ = fitted
    result = runs.read_result(folder)
    predict_maps([run], records, 0, tmp_path / "maps", Manner(), lambda share: None, "1")
    best = best_of(tmp_path / "maps")
    for name in ("mean_dice", "positive_dice", "threshold", "min_pixels"):
        assert best[name] == result[name]


def best_of(folder):
    """The best cell of the study's grid on maps."""
    cells = study().operating_point
    counted = counts.of(maps.read(folder), lambda share: None)
    thresholds, min_pixels = grid.values(cells.thresholds), grid.pixels(cells.min_pixels)
    return sweep.best([counted], grid.joint(thresholds, min_pixels, cells.size_px))


class KilledError(Exception):
    pass


def assert_ends_like(folder, whole):
    """The same history, weights, checkpoints and result, bit for bit."""
    costs = ["seconds", "seconds_per_step", "peak_memory_mb"]
    histories = [runs.read_history(each).drop(columns=costs) for each in (folder, whole)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    assert runs.read_result(folder) == runs.read_result(whole)
    paths = sorted(path.name for path in whole.checkpoints.iterdir())
    assert sorted(path.name for path in folder.checkpoints.iterdir()) == paths
    pairs = [(folder.best_weights, whole.best_weights)]
    pairs += [(folder.checkpoints / name, whole.checkpoints / name) for name in paths]
    for now, then in pairs:
        networks = unet.build("resnet18"), unet.build("resnet18")
        for network, path in zip(networks, (now, then), strict=True):
            network.load_weights(path)
        for one, other in zip(*(network.get_weights() for network in networks), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_fit_that_is_killed_goes_on_and_ends_like_one_that_was_not(fitted, records, tmp_path):
    """Killed in a step, in the validation and while the history is written, by turns."""
    _, whole, _ = fitted
    cut = runs.stage_folder(tmp_path, 0, "1")

    def killed_at(monkeypatch, target, name, times):
        calls = []
        real = getattr(target, name)

        def kill(*arguments, **settings):
            calls.append(name)
            if len(calls) == times:
                raise KilledError
            return real(*arguments, **settings)

        monkeypatch.setattr(target, name, kill)

    for target, name, times in (
        (state, "save", 1),
        (state, "save", 2),
        (validation, "score", 1),
        (checkpoints, "keep", 1),
        (runs, "write_history", 1),
        (state, "save", 2),
        (selection, "best", 2),
        (runs, "write_result", 1),
    ):
        with pytest.MonkeyPatch.context() as patched, pytest.raises(KilledError):
            killed_at(patched, target, name, times)
            run_fit(records, tmp_path)
        assert not cut.is_finished
    shares = []
    folder, rows = run_fit(records, tmp_path, advance=shares.append)
    assert rows == []
    assert sum(shares) == pytest.approx(1)
    assert_ends_like(folder, whole)


def test_a_signal_keeps_the_state_and_says_how_to_go_on(fitted, records, tmp_path):
    _, whole, _ = fitted
    for number, after_steps in ((signal.SIGTERM, 1), (signal.SIGINT, 2)):
        shares = []

        def ask(share, shares=shares, number=number, after_steps=after_steps):
            shares.append(share)
            if len(shares) == 1 + after_steps:
                signal.raise_signal(number)

        before = signal.getsignal(number)
        with pytest.raises(Interrupted, match=f"{number.name}; the state is kept"):
            run_fit(records, tmp_path, advance=ask)
        assert signal.getsignal(number) == before
    folder, _ = run_fit(records, tmp_path)
    assert_ends_like(folder, whole)


def test_other_versions_and_code_are_named_where_a_fit_goes_on(records, tmp_path, caplog):
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(validation, "score", lambda *arguments: raise_killed())
        run_fit(records, tmp_path)
    folder = runs.stage_folder(tmp_path, 0, "1")
    environment = runs.read_environment(folder)
    environment["packages"]["keras"] = "3.0"
    environment["code"] = "other"
    files.write_json(folder.environment_json, environment)
    run_fit(records, tmp_path)
    (message,) = [record.getMessage() for record in caplog.records if "goes on" in record.message]
    assert "keras 3.0 is now" in message
    assert "the code of tfptx is another" in message
    assert len(runs.read_environment(folder)["continued"]) == 1


def raise_killed():
    raise KilledError


AVERAGING = (
    "stage.1.rate.half_cycle_epochs=0.5",
    "stage.1.checkpoints.cycle_ends=true",
    "stage.1.checkpoints.average=cycle_ends",
    "stage.1.accumulated_batches=2",
    "stage.1.rematerialised=true",
    "augmentation.engine=graph",
)


def scored(monkeypatch, *mean_dice):
    """Let the validations of a fit score this, whatever the network says."""
    real, left = validation.score, list(mean_dice)

    def score(*arguments):
        return {**real(*arguments), "mean_dice": left.pop(0)}

    monkeypatch.setattr(validation, "score", score)


def test_the_average_of_checkpoints_is_the_result_only_where_it_is_better(records, tmp_path):
    weights = {}
    for name, of_average, averaged in (("better", 0.9, [0, 1]), ("equal", 0.6, [])):
        with pytest.MonkeyPatch.context() as patch:
            scored(patch, 0.5, 0.6, of_average)
            folder, _ = run_fit(records, tmp_path / name, study=study(*AVERAGING))
        names = sorted(path.name for path in folder.checkpoints.iterdir())
        assert names == ["epoch000.weights.h5", "epoch001.weights.h5"]
        result = runs.read_result(folder)
        assert (result["averaged_epochs"], result["mean_dice"]) == (averaged, max(0.6, of_average))
        weights[name] = best_weights(folder)
        last = unet.build("resnet18")
        last.load_weights(folder.checkpoints / "epoch001.weights.h5")
        is_last = all(map(np.array_equal, last.get_weights(), weights[name]))
        assert is_last == (not averaged)


def best_weights(folder):
    network = unet.build("resnet18")
    network.load_weights(folder.best_weights)
    return network.get_weights()


def test_a_fit_that_is_killed_while_it_averages_ends_like_one_that_was_not(records, tmp_path):
    """The strides that never trained keep their statistics: a new process must freeze them too."""
    for name in ("whole", "cut"):
        with pytest.MonkeyPatch.context() as patch:
            if name == "cut":
                with pytest.raises(KilledError), pytest.MonkeyPatch.context() as killing:
                    scored(killing, 0.5, 0.6)
                    killing.setattr(averaging, "estimate_statistics", lambda *_: raise_killed())
                    run_fit(records, tmp_path / name, study=study(*AVERAGING))
                scored(patch, 0.9)
            else:
                scored(patch, 0.5, 0.6, 0.9)
            run_fit(records, tmp_path / name, study=study(*AVERAGING))
    folders = [runs.stage_folder(tmp_path / name, 0, "1") for name in ("cut", "whole")]
    assert runs.read_result(folders[1])["averaged_epochs"] == [0, 1]
    assert_ends_like(*folders)


def test_a_folder_takes_one_fit_at_a_time(records, tmp_path):
    """Another process at work in it, as a job that was queued again."""
    (tmp_path / "fold0").mkdir()
    handle = os.open(tmp_path / "fold0", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(ValueError, match=r"another process fits in .*fold0; wait"):
        run_fit(records, tmp_path)
    os.close(handle)


def test_a_history_without_its_state_is_refused(records, tmp_path):
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(Session, "_result", lambda *arguments: raise_killed())
        run_fit(records, tmp_path)
    folder = runs.stage_folder(tmp_path, 0, "1")
    shutil.rmtree(folder.state)
    with pytest.raises(ValueError, match=r"has a history, and no state .* --overwrite"):
        run_fit(records, tmp_path)


def test_what_a_process_left_that_was_killed_at_the_very_end_is_removed(fitted, records, tmp_path):
    shutil.copytree(fitted[0], tmp_path / "runs")
    folder = runs.stage_folder(tmp_path / "runs", 0, "1")
    (folder.state / "epoch1-batch2").mkdir(parents=True)
    run_fit(records, tmp_path / "runs")
    assert not folder.state.exists()


def test_a_fit_of_half_floats_is_scored_as_it_will_be_served(records, tmp_path):
    """The score is that of predict-maps, whose network is of float32."""
    narrow = study("stage.1.precision=mixed_bfloat16", "stage.1.epochs=1")
    folder, _ = run_fit(records, tmp_path / "run", study=narrow)
    predict_maps(
        [tmp_path / "run"], records, 0, tmp_path / "maps", Manner(), lambda share: None, "1"
    )
    assert best_of(tmp_path / "maps")["mean_dice"] == runs.read_result(folder)["mean_dice"]


def test_a_loss_that_is_not_finite_names_the_images_and_keeps_what_was_good(records, tmp_path):
    hot = study("stage.1.rate.largest=1e30", "stage.1.rate.smallest=1e30", "stage.1.clip_norm=1e30")
    with pytest.raises(ValueError, match=r"epoch 0, batch [12], of the images 2\.25.*clip_norm"):
        run_fit(records, tmp_path, study=hot)
    folder = runs.stage_folder(tmp_path, 0, "1")
    assert not folder.is_finished
    assert not folder.best_weights.exists()


def test_other_heads_are_fitted_and_told_with_the_mask(records, tmp_path):
    terms = "{weighted_bce=1.0, presence_bce=0.5, distance_l1=0.5}"
    changes = [
        f"stage.{stage}.curriculum=[{{from_epoch=0, ramp_epochs=0, weights={terms}}}]"
        for stage in (1, 2)
    ]
    several = study(
        "network.heads=['presence', 'distance']", "stage.1.rematerialised=true", *changes
    )
    folder, rows = run_fit(records, tmp_path / "run", study=several)
    for row in rows:
        assert 0 < row["presence_bce"] < 2
        assert 0 < row["val_distance_l1"] < 1
        total = row["weighted_bce"] + (row["presence_bce"] + row["distance_l1"]) / 2
        assert row["loss"] == pytest.approx(total, rel=1e-4)
    run, out = tmp_path / "run", tmp_path / "maps"
    written = predict_maps([run], records, 0, out, Manner(is_fused=True), lambda share: None, "1")
    assert ((written.presence > 0) & (written.presence < 1)).all()
    alone = study("stage.1.epochs=1", "network.heads=[]")
    with pytest.raises(ValueError, match=r"has the heads \['distance', 'presence'\], the config"):
        run_fit(records, run, "2", study=alone)
    assert runs.read_study(folder).network.heads == ["distance", "presence"]


def test_a_device_without_enough_memory_names_the_levers(records, tmp_path):
    def exhausted(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    with (
        pytest.MonkeyPatch.context() as patched,
        pytest.raises(
            ValueError,
            match=r"set stage\.1\.rematerialised=true, or set stage\.1\.precision=mixed_bfloat16, "
            r"or halve stage\.1\.batch_size and double stage\.1\.accumulated_batches, or take",
        ),
    ):
        patched.setattr(Session, "_train", exhausted)
        run_fit(records, tmp_path)


def test_a_finished_stage_is_left_as_it_is(fitted, records):
    run, folder, _ = fitted
    written = folder.best_weights.stat().st_mtime_ns
    _, rows = run_fit(records, run)
    assert rows == []
    assert folder.best_weights.stat().st_mtime_ns == written


def test_stage_2_starts_from_the_best_weights_of_stage_1(fitted, records):
    run, first, _ = fitted
    still = study("stage.2.rate.largest=1e-30", "stage.2.rate.smallest=0.0")
    folder, _ = run_fit(records, run, "2", study=still)
    now, then = unet.build("resnet18"), unet.build("resnet18")
    now.load_weights(folder.best_weights)
    then.load_weights(first.best_weights)
    # At no rate all that moves are the statistics of batch norm.
    for layer, expected in zip(now.layers, then.layers, strict=True):
        for weight, other in zip(layer.trainable_weights, expected.trainable_weights, strict=True):
            np.testing.assert_array_equal(weight, other)


def test_what_does_not_fit_together_is_refused(fitted, records, tmp_path):
    run, _, _ = fitted
    with pytest.raises(ValueError, match="has not finished stage 1 of fold 1"):
        run_fit(records, run, "2", fold=1)
    with pytest.raises(ValueError, match="another config"):
        run_fit(records, run, study=study("seed=5"))
    with pytest.raises(ValueError, match="no records at"):
        run_fit(tmp_path / "none", tmp_path)
    for fold, changed, message in (
        (7, study(), "has no fold 7"),
        (0, study("network.encoder_weights=none.h5"), "no weights file at none.h5"),
        (
            0,
            study("operating_point.thresholds=0.5:0.1:0.1"),
            "operating_point of the config: .*grid",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            run_fit(records, tmp_path, fold=fold, study=changed)
    assert not list(tmp_path.iterdir())


def test_the_other_stages_settings_may_change(fitted, records):
    run, _, _ = fitted
    _, rows = run_fit(records, run, study=study("stage.2.epochs=7"))
    assert rows == []


def test_stage_2_refuses_a_stage_1_of_other_records(fitted, records, tmp_path):
    run, _, _ = fitted
    others = tiny_study.divide_anew(records, tmp_path / "records")
    with pytest.raises(ValueError, match="was fitted on other records"):
        run_fit(others, run, "2")


def test_overwriting_keeps_what_stands_until_the_new_fit_can_begin(
    fitted, records, tmp_path, caplog
):
    run = tmp_path / "runs"
    shutil.copytree(fitted[0] / "fold0" / "stage1", run / "fold0" / "stage1")
    folder = runs.stage_folder(run, 0, "1")
    broken = study("network.encoder_weights=none.h5")
    with pytest.raises(ValueError, match="no weights file"):
        fit(broken, Material(records, 0), run, "1", lambda share: None, print, overwrite=True)
    assert folder.is_finished
    unlabelled = Further(make_records.build_records(tmp_path, 0, 4, annotated=False), 0.3)
    with pytest.raises(ValueError, match="no labelled example"):
        fit(study(), Material(records, 0, (unlabelled,)), run, "1", print, print, overwrite=True)
    assert folder.is_finished

    def stop(share):
        raise KilledError

    shutil.copytree(run / "fold0" / "stage1", run / "fold0" / "stage2")
    with pytest.raises(KilledError):
        fit(study("seed=5"), Material(records, 0), run, "1", stop, print, overwrite=True)
    assert not folder.is_finished
    assert "stage2 was fitted from the weights that are replaced now" in caplog.text
    assert runs.read_study(folder).seed == 5


def test_further_records_are_trained_on_and_noted_and_belong_to_the_fit(records, tmp_path, caplog):
    further = (Further(records, 0.3),)
    folder, _ = run_fit(records, tmp_path / "runs", further=further)
    alone = Material(records, 0)
    together = Material(records, 0, further)
    assert batches.num_steps(together, study(), "1", 0) > batches.num_steps(alone, study(), "1", 0)
    noted = runs.read_environment(folder)["further_records"]
    assert noted == f"0.3 of {manifests.read(records).fingerprint}"
    held_out = sum(shard.examples for shard in manifests.read(records).shards if shard.fold == 0)
    assert runs.read_environment(folder)["further_left_out"] == [held_out]
    assert f"{held_out} examples of {records} are left out" in caplog.text
    with pytest.raises(ValueError, match="holds a fit from other further records"):
        run_fit(records, tmp_path / "runs")
    assert run_fit(records, tmp_path / "runs", further=further)[0] == folder
