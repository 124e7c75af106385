"""The README's steps, run as they stand there, on fewer and smaller phantoms."""

import shlex

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.conftest import REPOSITORY
from tests.small_study import small_study
from tfptx import config
from tfptx.cli.main import COMMANDS, main

README = (REPOSITORY / "README.md").read_text()
STEPS = [line for line in README.splitlines() if line.startswith("tfptx ")]
SMALLER = (
    ("--count 400", "--count 20 --size 64"),
    ("configs/resnet34.toml", "small.toml"),
    # Of so few images every fold should hold a positive.
    ("--out records", "--out records --folds 2"),
)


def smaller(step):
    for long, short in SMALLER:
        step = step.replace(long, short)
    return step


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all steps have run, one after the other."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "small.toml").write_text(config.to_toml(small_study()))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for step in map(smaller, STEPS):
            result = CliRunner().invoke(main, shlex.split(step)[1:], catch_exceptions=False)
            assert result.exit_code == 0, (step, result.stderr)
            assert result.stdout.strip()
    return folder


def test_the_steps_make_what_the_table_says(folder):
    for made in (
        "records/manifest.json",
        "runs/fold0/stage2/best.weights.h5",
        "maps/counts.npz",
        "study/threshold/results.csv",
        "study/joint/point.json",
        "study/report.html",
        "export/1/saved_model.pb",
        "export/1/model_card.md",
        "predictions/findings.csv",
    ):
        assert (folder / made).is_file(), made
    assert len(pd.read_csv(folder / "predictions" / "predictions.csv")) == 20
    assert len(list((folder / "predictions" / "overlays").iterdir())) == 20


def test_the_table_names_every_command():
    table = README.partition("| command |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1].strip(" `") for line in table.splitlines()[2:]]
    assert set(rows) == set(COMMANDS)
