"""Both stages on a handful of phantoms: what a run holds, and that a cut one ends like a whole."""

import shutil

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tfptx import config, runs
from tfptx.inference import load
from tfptx.network import unet
from tfptx.objectives.metrics import BestCellDice
from tfptx.operating_point import grid
from tfptx.pipeline import batches
from tfptx.records import build
from tfptx.scans.phantom import dataset
from tfptx.training.fit import fit

EPOCHS = 2


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    options = dataset.Options(count=16, size_px=64, prevalence=0.4, workers=2)
    dataset.write(folder / "set", options, lambda share: None)
    build.build(
        folder / "set" / dataset.IMAGES,
        folder / "set" / dataset.ANNOTATIONS,
        folder / "set" / dataset.PATIENTS,
        folder / "records",
        build.Options(num_folds=2),
        lambda share: None,
    )
    return folder / "records"


def study(*overrides):
    settings = (
        f"stage.1.epochs={EPOCHS}",
        "stage.1.size_px=32",
        "stage.1.batch_size=4",
        "stage.1.unfreezing.from_epoch.stride8=1",
        "stage.1.unfreezing.from_epoch.stride4=2",
        "stage.1.unfreezing.from_epoch.stride2=2",
        "stage.2.epochs=1",
        "stage.2.size_px=32",
        "stage.2.batch_size=4",
    )
    return config.read(REPOSITORY / "tfptx" / "studies" / "demo.toml", settings + overrides)


def run_fit(records, run, stage="1", advance=lambda share: None, **changes):
    rows = []
    fitted = changes.get("study", study())
    folder = fit(fitted, records, run, changes.get("fold", 0), stage, advance, rows.append)
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
    assert history["trainable_groups"].tolist() == ["decoder", "stride8+stride16+stride32+decoder"]
    assert (history["weighted_bce_weight"] == 1).all()
    assert [row["val_mean_dice"] for row in rows] == history["val_mean_dice"].tolist()
    result = runs.read_result(folder)
    best = history.loc[result["epoch"]]
    assert result["mean_dice"] == history["val_mean_dice"].max() == best["val_mean_dice"]
    assert not folder.state.exists()
    assert list(folder.logs.iterdir())


def test_the_best_weights_score_what_the_result_says(fitted, records):
    _, folder, _ = fitted
    result, cells = runs.read_result(folder), study().operating_point
    metric = BestCellDice(
        grid.values(cells.thresholds), grid.pixels(cells.min_pixels), cells.size_px
    )
    network = load.network(folder)
    for images, masks in batches.validation(records, 0, 32, 4):
        metric.update_state(masks, network(images, training=False))
    for name, value in metric.result().items():
        assert float(value) == pytest.approx(result[name], rel=1e-5)


class KilledError(Exception):
    pass


def test_a_fit_that_is_killed_goes_on_and_ends_like_one_that_was_not(fitted, records, tmp_path):
    _, whole, _ = fitted
    shares = []

    def kill_in_the_second_epoch(share):
        shares.append(share)
        if sum(shares) > 0.7:
            raise KilledError

    with pytest.raises(KilledError):
        run_fit(records, tmp_path, advance=kill_in_the_second_epoch)
    cut = runs.stage_folder(tmp_path, 0, "1")
    assert not cut.is_finished
    folder, rows = run_fit(records, tmp_path)
    assert 0 < len(rows) < EPOCHS
    columns = runs.read_history(whole).columns.drop("seconds")
    assert runs.read_history(folder)[columns].equals(runs.read_history(whole)[columns])
    for path in (whole.best_weights, folder.best_weights):
        network = unet.build("resnet18")
        network.load_weights(path)
        if path == whole.best_weights:
            expected = network.get_weights()
    for now, then in zip(network.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(now, then)


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
        (0, study("operating_point.thresholds=0.5:0.1:0.1"), "grid"),
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
    options = build.Options(num_folds=2, seed=1)
    source = records.parent / "set"
    others = tmp_path / "records"
    build.build(
        source / dataset.IMAGES,
        source / dataset.ANNOTATIONS,
        source / dataset.PATIENTS,
        others,
        options,
        lambda share: None,
    )
    with pytest.raises(ValueError, match="was fitted on other records"):
        run_fit(others, run, "2")


def test_overwriting_keeps_what_stands_until_the_new_fit_can_begin(fitted, records, tmp_path):
    run = tmp_path / "runs"
    shutil.copytree(fitted[0] / "fold0" / "stage1", run / "fold0" / "stage1")
    folder = runs.stage_folder(run, 0, "1")
    broken = study("network.encoder_weights=none.h5")
    with pytest.raises(ValueError, match="no weights file"):
        fit(broken, records, run, 0, "1", lambda share: None, print, overwrite=True)
    assert folder.is_finished

    def stop(share):
        raise KilledError

    with pytest.raises(KilledError):
        fit(study("seed=5"), records, run, 0, "1", stop, print, overwrite=True)
    assert not folder.is_finished
    assert runs.read_study(folder).seed == 5
