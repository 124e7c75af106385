"""`tfptx pseudo-label` as its users call it, and the whole way that its help shows."""

import shlex

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests import tiny_study
from tests.operating_point import make_maps
from tfptx import runs
from tfptx.cli.main import main
from tfptx.cli.pseudo_label import command
from tfptx.records import manifest
from tfptx.scans.phantom import dataset

POINT = '{"schema": 1, "threshold": 0.5, "min_pixels": 0, "size_px": 64}'


def call(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def maps(tmp_path):
    levels, _ = make_maps.draw(0, [(20, 30), (12, 8)])
    (tmp_path / "point.json").write_text(POINT)
    return make_maps.write(tmp_path / "maps", [levels[0], levels[1] // 3], [None, None])


def test_masks_are_replaced_only_when_told(maps, tmp_path):
    out = tmp_path / "masks"
    done = call("pseudo-label", maps, "--point", tmp_path / "point.json", "--out", out)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{out}: 1 positive and 1 negative masks\n"
    assert set(np.unique(cv2.imread(str(out / "image0.png"), -1))) == {0, 255}
    again = call("pseudo-label", maps, "--soft", "--out", out)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    again = call(
        "pseudo-label", maps, "--soft", "--out", out, "--overwrite", "--certain", "0.4:0.9"
    )
    assert again.exit_code == 0, again.stderr
    assert len(set(np.unique(cv2.imread(str(out / "image0.png"), -1)))) > 2
    assert set(out.iterdir()) == {
        out / "image0.png",
        out / "image1.png",
        out / "pseudo-labels.json",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--point POINT.json or are --soft; name one"),
        (["--soft", "--point", "point.json"], "--point POINT.json or are --soft; name one"),
        (["--soft", "--certain", "0.5"], "'0.5' is not LOW:HIGH, as 0.1:0.9"),
        (["--soft", "--certain", "a:b"], "'a:b' is not LOW:HIGH, as 0.1:0.9"),
    ],
)
def test_wrong_usage_is_exit_2(maps, tmp_path, arguments, message):
    done = call("pseudo-label", maps, "--out", tmp_path / "masks", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--soft", "--certain", "0.9:0.1"], "0.9 is above 0.1"),
        (["--soft", "--certain", "nan:0.9"], "a probability is from 0 to 1"),
        (["--point", "none.json"], "no none.json at none.json"),
        (["--soft", "--certain", "0:1"], "no image of"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(maps, tmp_path, arguments, message):
    done = call("pseudo-label", maps, "--out", tmp_path / "masks", *arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "masks").exists()


STEPS = [line.strip() for line in command.help.splitlines() if line.strip().startswith("tfptx ")]
SMALLER = {
    "build-records": ["--folds", "2"],
    "fit": [
        *("--config", str(tiny_study.CONFIG)),
        *(part for each in tiny_study.OVERRIDES for part in ("--set", each)),
    ],
    # A network of two epochs is sure of nothing.
    "pseudo-label": ["--certain", "0.5:0.5"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the way of the help has gone, with a network that was fitted to 16 phantoms."""
    folder = tmp_path_factory.mktemp("pseudo")
    records = tiny_study.write_records(folder)
    options = dataset.Options(count=12, size_px=64, prevalence=0.4, seed=1, workers=2)
    dataset.write(folder / "others", options, lambda share: None)
    for path in (folder / "others" / dataset.IMAGES).rglob("*.dcm"):
        path.rename(path.with_name(f"other-{path.name}"))
    (folder / "others" / dataset.IMAGES).rename(folder / "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        teacher = ["fit", "--stage", "1", "--records", records, "--fold", "all", *SMALLER["fit"]]
        for step in [
            teacher,
            *(shlex.split(step)[1:] + SMALLER.get(step.split()[1], []) for step in STEPS),
        ]:
            done = call(*step)
            assert done.exit_code == 0, (step, done.stderr)
    return folder


def test_the_way_of_the_help_ends_with_a_student(folder):
    assert [shlex.split(step)[1] for step in STEPS] == [
        *("build-records", "predict-maps", "pseudo-label", "build-records", "fit")
    ]
    result = runs.read_result(runs.finished(folder / "student", 0))
    assert result["epochs"] == tiny_study.EPOCHS
    history = pd.read_csv(runs.stage_folder(folder / "student", 0, "1").path / "history.csv")
    assert np.isfinite(history["loss"]).all()


def test_the_records_hold_the_probabilities_of_the_maps(folder):
    assert manifest.read(folder / "pseudo").soft_masks
    table = manifest.read_examples(folder / "pseudo").set_index("image_id")
    assert len(table) == 12
    for image_id, row in table.iterrows():
        grey = cv2.imread(str(folder / "masks" / f"{image_id}.png"), cv2.IMREAD_UNCHANGED)
        assert grey.shape == (row["rows"], row["columns"]) == (64, 64)
        assert row["mask_px"] == (grey >= 128).sum()
        assert len(np.unique(grey)) > 2
    assert call("verify-records", folder / "pseudo").exit_code == 0
