"""The command `info`, on a folder of each kind."""

import dataclasses
import hashlib
import json
import subprocess
import sys

import h5py
import keras
import pytest
from click.testing import CliRunner

from tests import unfitted_run
from tests.studies.report import make_study
from tfptx import files
from tfptx.cli.main import main
from tfptx.network import encoders, imagenet
from tfptx.operating_point import tables
from tfptx.operating_point.tables import Point
from tfptx.serving import layout
from tfptx.studies import backbones_table


def call(*arguments):
    return CliRunner().invoke(main, ["info", *map(str, arguments)])


def facts_of(folder):
    result = call(folder, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return unfitted_run.write_records(tmp_path_factory.mktemp("info"), 10, test_share=0.2)


def test_records_are_counted_by_fold_and_kind(records):
    folder, manifest = records
    found = facts_of(folder)
    assert found["kind"] == "RECORDS"
    facts = found["facts"]
    assert (facts["examples"], facts["positive"], facts["negative"]) == (10, 5, 5)
    assert (facts["patients"], facts["patients_in_several_folds"]) == (10, 0)
    assert facts["sizes_px"] == {"80 x 112": 5, "96 x 72": 5}
    assert facts["fingerprint"] == manifest.fingerprint
    assert [part["fold"] for part in found["parts"]] == ["0", "1", "test"]
    assert sum(part["positive"] for part in found["parts"]) == 5
    assert sum(part["patients"] for part in found["parts"]) == 10
    for part in found["parts"]:
        assert part["positive_share"] == part["positive"] / (part["positive"] + part["negative"])
        assert len(part["mask_quartiles_percent"]) == 3
        assert (part["views"], part["sexes"], part["median_age"]) == ({}, {}, None)
    leaks = ("equal_images", "equal_images_in_several_folds", "annotations_with_a_note")
    assert [facts[name] for name in leaks] == [0, 0, 0]


def test_records_are_described_without_tensorflow(records):
    code = (
        "import sys; from pathlib import Path; from tfptx.studies import describe\n"
        "print(describe.describe(Path(sys.argv[1])).kind)\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(records[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "RECORDS\n"), done.stderr


def test_a_patient_in_two_folds_is_counted_as_a_leak(records, tmp_path):
    folder, _ = records
    text = (folder / "examples.csv").read_text().splitlines()
    patients = text[0].split(",").index("patient_id")
    rows = [line.split(",") for line in text]
    for row in rows[1:]:
        row[patients] = "one and only"
    files.write_text(tmp_path / "examples.csv", "\n".join(map(",".join, rows)) + "\n")
    files.write_text(tmp_path / "manifest.json", (folder / "manifest.json").read_text())
    facts = facts_of(tmp_path)["facts"]
    assert (facts["patients"], facts["patients_in_several_folds"]) == (1, 1)


def test_a_run_tells_how_far_each_stage_has_come(tmp_path):
    found = facts_of(make_study.write_run(tmp_path / "run", is_finished=False))
    assert found["kind"] == "RUN"
    first, second = found["parts"]
    assert (first["stage"], first["finished"], first["best_epoch"]) == ("1", True, 1)
    assert (first["mean_dice"], first["epochs"], first["size_px"]) == (0.81, 2, 512)
    assert (second["stage"], second["finished"], second["mean_dice"]) == ("2", False, None)
    assert first["encoder"] == "seresnext50"
    shown = call(tmp_path / "run").stdout
    assert "RUN" in shown
    assert first["fingerprint"][:16] in shown
    assert first["fingerprint"] not in shown


def test_maps_and_the_study_made_on_them(tmp_path):
    maps, study = make_study.write_maps(tmp_path / "maps"), tmp_path / "study"
    make_study.write_sweeps(study, maps)
    found = facts_of(maps)
    assert found["kind"] == "MAPS"
    facts = found["facts"]
    assert (facts["images"], facts["positive"], facts["unlabelled"]) == (6, 3, 0)
    assert (facts["stage"], facts["network_size_px"], facts["runs"]) == ("2", 32, ["a" * 64])

    found = facts_of(study)
    assert found["kind"] == "STUDY"
    for part in found["parts"]:
        point = tables.read_point(study / part["sweep"] / tables.POINT)
        assert (part["threshold"], part["min_pixels"]) == (point.threshold, point.min_pixels)
        assert part["mean_dice"] == point.mean_dice
    assert [part["cells"] for part in found["parts"]] == [3, 9]


def test_a_comparison_tells_both_scores_of_its_encoders(tmp_path):
    scores = {"encoder": "resnet34", "nested_mean_dice": 0.8, "mean_dice": 0.85}
    backbones_table.write(tmp_path, [dict.fromkeys(backbones_table.COLUMNS, 1.0) | scores])
    told = "nested mean Dice 0.8000, 0.8500 where its pair was chosen"
    assert facts_of(tmp_path)["facts"]["backbones"] == {"resnet34": told}


def test_an_export_lists_its_versions(tmp_path):
    for version, threshold in (("1", 0.5), ("10", 0.7), ("9", 0.6)):
        folder = tmp_path / version
        folder.mkdir()
        (folder / layout.SAVED_MODEL).write_bytes(bytes(250_000))
        tables.write_point(
            folder / layout.POINT, Point(threshold=threshold, min_pixels=0, size_px=8)
        )
    found = facts_of(tmp_path)
    assert found["kind"] == "EXPORT"
    assert found["facts"] == {
        "latest": "10",
        "signatures": ["serving_default", "masks", "with_point", "images", "score"],
        "input": "image_bytes",
    }
    assert [(part["version"], part["threshold"]) for part in found["parts"]] == [
        ("1", 0.5),
        ("9", 0.6),
        ("10", 0.7),
    ]
    point_bytes = (tmp_path / "10" / layout.POINT).stat().st_size
    assert found["parts"][2]["size_mb"] == pytest.approx(0.25 + point_bytes / 1e6)
    assert facts_of(tmp_path / "9")["parts"] == found["parts"][1:2]


@pytest.mark.parametrize("name", ["none", "empty", "file"])
def test_any_other_folder_is_one_line_that_names_what_was_looked_for(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    result = call(tmp_path / name)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path / name} ")
    assert result.stderr.count("\n") == 1
    for looked_for in (
        "triplet, components, presence/point.json",
        "manifest.json",
        "maps.json",
        "fold<K>",
        "backbones.csv",
        "saved_model.pb",
    ):
        assert looked_for in result.stderr


def test_a_file_of_weights_lists_its_layers(tmp_path):
    path = tmp_path / "w.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    found = facts_of(path)
    assert found["kind"] == "WEIGHTS"
    assert (found["facts"]["layers"], found["facts"]["parameters"]) == (1, 8)
    assert found["parts"][0]["weights"] == {"0": [3, 2], "1": [2]}
    assert "weights.h5 of Keras 3" in call(path).stdout


def test_a_published_file_is_known_by_its_checksum(tmp_path, monkeypatch):
    path = tmp_path / "resnet.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv0"]
        group = file.create_group("conv0")
        group.attrs["weight_names"] = [b"conv0/kernel:0"]
        group["conv0/kernel:0"] = [1.0, 2.0]
    checksum = hashlib.md5(path.read_bytes()).hexdigest()
    ours = imagenet.WeightsFile("resnet.h5", "https://none/resnet.h5", checksum)
    monkeypatch.setattr(
        encoders,
        "weights_file",
        lambda name: ours if name == "resnet18" else dataclasses.replace(ours, checksum="0" * 32),
    )
    facts = facts_of(path)["facts"]
    assert facts["form"] == "h5 of Keras 2"
    assert facts["imagenet_weights_of"] == ["resnet18"]
