"""`tfptx fit` as its users call it, on a handful of phantoms."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests import tiny_study
from tfptx import runs
from tfptx.cli import fit as cli_fit
from tfptx.cli.main import main
from tfptx.network import unet


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return tiny_study.write_records(tmp_path_factory.mktemp("phantoms"))


def arguments(records, run, *more, stage="1"):
    settings = [part for each in tiny_study.OVERRIDES for part in ("--set", each)]
    places = ["--config", tiny_study.CONFIG, "--records", records, "--run", run]
    return ["fit", "--stage", stage, *map(str, places), *settings, *more]


def fit(records, run, *more, **stage):
    return CliRunner().invoke(main, arguments(records, run, *more, **stage))


def test_all_folds_are_fitted_in_turn_and_finished_ones_left(records, tmp_path):
    first = fit(records, tmp_path, "--fold", "1")
    assert first.exit_code == 0, first.output
    written = runs.stage_folder(tmp_path, 1, "1").best_weights.stat().st_mtime_ns
    both = fit(records, tmp_path, "--fold", "all")
    assert both.exit_code == 0, both.output
    assert runs.folds(tmp_path) == [0, 1]
    assert runs.stage_folder(tmp_path, 1, "1").best_weights.stat().st_mtime_ns == written
    scores = [runs.read_result(runs.finished(tmp_path, fold))["mean_dice"] for fold in (0, 1)]
    assert f"2 folds: validation mean Dice {sum(scores) / 2:.4f}, standard" in both.stdout
    assert "epoch 1: loss" in both.stderr


@pytest.mark.parametrize(
    "named", [["{0}", "{0}"], ["{0}=0.5"], ["{0}=0.5", "{0}"], ["{0}", "{0}=some"]]
)
def test_the_first_records_have_no_share_and_each_further_one_has(records, tmp_path, named):
    places = [part for each in named for part in ("--records", each.format(records))]
    found = CliRunner().invoke(main, ["fit", "--stage", "1", *places, "--run", str(tmp_path)])
    assert found.exit_code == 2
    assert "each further one PATH=SHARE, as phantoms=0.2" in found.stderr


def test_a_share_that_leaves_nothing_is_refused_in_one_line(records, tmp_path):
    found = fit(records, tmp_path, "--records", f"{records}=1.5")
    assert found.exit_code == 1
    assert "error: further records have shares above 0 that sum up to less than 1" in found.stderr


def test_the_range_test_leaves_a_table_and_a_picture_and_no_fit(records, tmp_path):
    found = fit(records, tmp_path, "--find-rate", "--steps", "25")
    assert found.exit_code == 0, found.output
    folder = runs.stage_folder(tmp_path, 0, "1").path
    assert {path.name for path in folder.iterdir()} == {"rate_range.csv", "rate_range.png"}
    table = pd.read_csv(folder / "rate_range.csv")
    assert list(table) == ["learning_rate", "loss", "smoothed_loss"]
    assert table["learning_rate"].iloc[0] == pytest.approx(1e-7)
    assert "try --set stage.1.rate.largest=" in found.stdout
    assert (folder / "rate_range.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no run at"):
        runs.folds(tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--fold", "two"], "--fold is a number, or all"),
        (["--steps", "30"], "--steps are those of --find-rate"),
        (["--find-rate", "--overwrite"], "--find-rate fits nothing"),
        (["--find-rate", "--fold", "all"], "--find-rate is of one fold"),
        (["--find-rate", "--devices", "gpu"], "--find-rate has one device"),
        (["--num-processes", "2"], "--num-processes is of --devices multi-worker"),
        (["--coordinator-address", "10.0.0.1"], "'10.0.0.1' is not HOST:PORT"),
    ],
)
def test_wrong_usage_is_exit_2(records, tmp_path, more, message):
    found = fit(records, tmp_path, *more)
    assert found.exit_code == 2
    assert message in found.stderr
    assert not list(tmp_path.iterdir())


def test_several_devices_on_tensorflow_are_refused_in_one_line(records, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    found = fit(records, tmp_path, "--devices", "gpu")
    assert found.exit_code == 1
    assert found.stderr.startswith("error: on Keras's tensorflow backend a fit has one device")
    assert not list(tmp_path.iterdir())


def test_a_backend_that_no_fit_has_is_refused_in_one_line(records, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found = fit(records, tmp_path)
    assert found.exit_code == 1
    assert found.stderr == "error: KERAS_BACKEND is torch; a fit runs on tensorflow or jax\n"


def test_bad_input_is_one_line_and_exit_1(records, tmp_path):
    found = fit(records, tmp_path, "--fold", "7")
    assert found.exit_code == 1
    assert found.stderr.startswith("error: ")
    assert len(found.stderr.splitlines()) == 1


def test_a_fit_that_is_stopped_says_how_to_go_on_and_then_names_what_changed(records, tmp_path):
    """In a process of its own, as from a shell, stopped within its first epoch."""
    called = [str(each) for each in arguments(records, tmp_path, "--set", "stage.1.epochs=8")]
    code = "import sys; from tfptx.cli.main import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *called],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder = runs.stage_folder(tmp_path, 0, "1")
    while not (folder.state.is_dir() and list(folder.state.glob("epoch*"))):
        assert process.poll() is None, process.communicate()
    process.terminate()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    (last,) = [line for line in errors.splitlines() if line.startswith("error")]
    assert last == "error: stopped by SIGTERM; the state is kept, run the same command to go on"
    assert "Traceback" not in errors

    text = folder.environment_json.read_text()
    folder.environment_json.write_text(text.replace('"code": "', '"code": "other'))
    again = subprocess.run(
        [sys.executable, "-c", code, *called[:-1], "stage.1.epochs=8", "--fold", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert again.returncode == 0, again.stderr
    assert f"{folder.path} goes on, but the code of tfptx is another" in again.stderr


def test_an_epoch_is_told_in_one_line(capsys):
    row = dict.fromkeys(
        ("loss", "val_loss", "val_mean_dice", "val_positive_dice", "learning_rate"), 0.5
    )
    cli_fit.announce({**row, "epoch": 3, "trainable_groups": "decoder+stride32"})
    assert capsys.readouterr().err == (
        "epoch 3: loss 0.5000, validation loss 0.5000, mean Dice 0.5000, positives 0.5000, "
        "rate 5.0e-01, training decoder+stride32\n"
    )


def test_a_fit_that_is_killed_again_and_again_ends_like_one_that_was_not(records, tmp_path):
    """SIGKILL at any moment: nothing is cleaned up, as when a machine goes down."""
    more = ("--set", "stage.1.epochs=3", "--set", "stage.1.checkpoints.best=2")
    assert fit(records, tmp_path / "whole", *more).exit_code == 0
    called = [str(each) for each in arguments(records, tmp_path / "cut", *more)]
    code = "import sys; from tfptx.cli.main import main; main(sys.argv[1:])"
    folders = [runs.stage_folder(tmp_path / name, 0, "1") for name in ("cut", "whole")]
    drawn, kills = random.Random(0), 0
    while not folders[0].is_finished:
        process = subprocess.Popen([sys.executable, "-c", code, *called], stderr=subprocess.PIPE)
        seen = contents(folders[0].path)
        while process.poll() is None and (contents(folders[0].path) == seen or kills >= 3):
            time.sleep(0.01)
        time.sleep(drawn.uniform(0, 0.5))
        if process.poll() is None:
            process.kill()
            kills += 1
        _, errors = process.communicate()
        assert process.returncode in {0, -signal.SIGKILL}, errors
    assert kills == 3
    cut, whole = (networks_of(folder) for folder in folders)
    assert cut.keys() == whole.keys()
    for name, weights in whole.items():
        for one, other in zip(cut[name], weights, strict=True):
            np.testing.assert_array_equal(one, other)
    scores = [runs.read_history(folder)["val_mean_dice"].tolist() for folder in folders]
    assert scores[0] == scores[1]
    assert not folders[0].state.exists()


def contents(folder):
    """What stands below a folder now, some of which may be gone in the next moment."""
    found = []
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent, name)
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.stat().st_mtime_ns))
    return found


def networks_of(folder):
    """The weights that a fit has left, by file."""
    found = {}
    for path in [folder.best_weights, *folder.checkpoints.iterdir()]:
        network = unet.build("resnet18")
        network.load_weights(path)
        found[path.name] = network.get_weights()
    return found
