import csv
import dataclasses
import json
import math
import subprocess
import sys
import time

import cv2
import numpy as np
import pandas as pd
import pydicom
import pytest

from tests.conftest import REPOSITORY
from tests.scans import make_dicom
from tests.serving import threshold_model
from tfptx.scans import intake, rle
from tfptx.serving import findings, models, overlay, predictor

# A warning of the parser is no error outside of tests.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

SPOT = (slice(20, 50), slice(30, 60))


@pytest.fixture
def export(bright_export):
    return bright_export


@pytest.fixture
def scans(tmp_path):
    """A bright spot, a tiny one, and a file that is no image."""
    folder = tmp_path / "scans"
    folder.mkdir()
    image = np.full((64, 96), 40, np.uint8)
    image[SPOT] = 220
    cv2.imwrite(str(folder / "spot.png"), image)
    tiny = np.full((64, 96), 40, np.uint8)
    tiny[5:9, 5:9] = 220
    cv2.imwrite(str(folder / "tiny.jpg"), tiny)
    (folder / "broken.dcm").write_bytes(b"no DICOM")
    return folder


def test_files_become_masks_findings_and_overlays(export, scans, tmp_path):
    shares = []
    found = predictor.predict(export, [scans], tmp_path / "out", shares.append, batch_size=2)
    assert sum(shares) == pytest.approx(1)
    table = pd.read_csv(tmp_path / "out" / findings.NAME, index_col="image_id")
    assert list(table.index) == ["broken", "spot", "tiny"] == [each.image_id for each in found]
    assert "no DICOM" in table.loc["broken", "error"]
    assert table.loc["broken"].drop(["path", "error"]).isna().all()
    assert list(table["decision"])[1:] == [1, 0]
    assert table.loc["tiny", "mask_px"] == 0
    assert table.loc["tiny", "largest_probability"] > 0.9
    assert table["area_mm2"].isna().all()
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert list(predictions.columns) == ["ImageId", "EncodedPixels"]
    masks = {
        name: rle.decode(str(text), 64, 96)
        for name, text in predictions.itertuples(index=False, name=None)
    }
    assert set(masks) == {"spot", "tiny"}
    assert not masks["tiny"].any()
    assert masks["spot"].sum() == table.loc["spot", "mask_px"]
    truth = np.zeros((64, 96), bool)
    truth[SPOT] = True
    # Stretched to 64 px and back, a border may move by a pixel.
    assert (masks["spot"] != truth).sum() < 2 * 30 + 10
    drawn = cv2.imread(str(tmp_path / "out" / "overlays" / "spot.png"))
    image = cv2.imread(str(scans / "spot.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(drawn, overlay.draw(image, masks["spot"]))


def test_single_files_and_a_version_folder_do_too(export, scans, tmp_path):
    found = predictor.predict(
        export / "3", [scans / "spot.png", scans], tmp_path / "out", lambda share: None
    )
    assert sorted(each.image_id for each in found) == ["broken", "spot", "tiny"]


def test_an_image_that_only_the_graph_refuses_is_a_finding(export, scans, tmp_path, monkeypatch):
    read = intake.read

    def cut(file, take):
        scan = read(file, take)
        if file.image_id != "tiny":
            return scan
        return dataclasses.replace(scan, image=scan.image[:-20])

    monkeypatch.setattr(intake, "read", cut)
    predictor.predict(export, [scans], tmp_path / "out", lambda share: None)
    table = pd.read_csv(tmp_path / "out" / findings.NAME, index_col="image_id")
    assert table.loc["tiny", "error"] == "damaged or cut image"
    assert list(pd.read_csv(tmp_path / "out" / "predictions.csv")["ImageId"]) == ["spot"]


def test_areas_are_in_square_millimetres_where_a_dicom_says_its_spacing(
    export, real_data, tmp_path
):
    path = next((real_data / "siim_stage2_dicom").rglob("*.dcm"))
    (found,) = predictor.predict(export, [path], tmp_path / "out", lambda share: None)
    assert found.decision
    assert 0.1 < math.sqrt(found.area_mm2 / found.mask_px) < 0.2


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        ("missing", ["scans"], "no export at"),
        ("scans", ["scans"], "no export at"),
        (None, ["missing"], "no folder at"),
        (None, ["scans/broken.dcm"], "none of 1 files can be predicted: 1 x no DICOM"),
        (None, ["scans", "again"], "two files have the id spot.png"),
    ],
)
def test_what_can_not_be_predicted_leaves_nothing(export, scans, tmp_path, model, inputs, message):
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "spot.png").write_bytes((scans / "spot.png").read_bytes())
    before = set(tmp_path.iterdir())
    with pytest.raises(ValueError, match=message):
        predictor.predict(
            export if model is None else tmp_path / model,
            [tmp_path / each for each in inputs],
            tmp_path / "out",
            lambda share: None,
        )
    assert set(tmp_path.iterdir()) == before


def contents(folder):
    """The files of a predictions folder; its `predictions.json` tells the command and machine."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "predictions.json"
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Twelve DICOMs in a tree, of which a third is left and one fails, and a text."""
    folder = tmp_path_factory.mktemp("tree")
    for at in range(12):
        attributes = {"ViewPosition": "LL"} if at % 3 == 2 else {}
        level = 220 if at % 2 else 60
        make_dicom.write(folder / f"study{at // 4}" / f"IM{at}", level=level, **attributes)
    cut = folder / "study0" / "IM0"
    cut.write_bytes(cut.read_bytes()[:-40])
    (folder / "notes.txt").write_text("nothing")
    return folder


OPTIONS = predictor.Options(segmentations=True)


def test_a_tree_is_accounted_for_file_by_file(export, tree, tmp_path):
    pytest.importorskip("highdicom")
    out = tmp_path / "out"
    found = predictor.predict(export, [tree], out, lambda share: None, OPTIONS)
    table = pd.read_csv(out / "findings.csv", index_col="image_id")
    skipped = pd.read_csv(out / "skipped.csv")
    assert len(table) + len(skipped) == 13
    assert set(skipped["reason"]) == {
        "view LL, not PA or AP",
        "neither DICOM, PNG nor JPEG by its first bytes",
    }
    assert table.loc["IM0", "path"] == "study0/IM0"
    assert isinstance(table.loc["IM0", "error"], str)
    masks = table[table["decision"] == 1]
    assert sorted(masks.index) == ["IM1", "IM3", "IM7", "IM9"]
    for image_id, row in masks.iterrows():
        assert row["area_mm2"] == pytest.approx(row["mask_px"] * 0.15**2)
        assert row["segmentation"] == f"segmentations/{image_id}.dcm"
        pixels = pydicom.dcmread(out / row["segmentation"]).pixel_array
        assert pixels.sum() == row["mask_px"]
    without = table[table["decision"] == 0]
    assert set(without["segmentation"]) == {"none: the mask is empty"}
    assert len(list((out / "segmentations").iterdir())) == len(masks)
    assert len(found) == len(table)
    assert not (tmp_path / "out.partial").exists()
    about = json.loads((out / "predictions.json").read_text())
    assert about["counts"] == {
        "predicted": 7,
        "positive": 4,
        "without_segmentation": 0,
        "failed": 1,
        "left": 5,
    }
    assert about["model"]["version"] == "3"


@pytest.fixture
def fast(tmp_path, monkeypatch):
    """The folder of a model without TensorFlow."""
    monkeypatch.setattr(
        models, "identify", lambda where: threshold_model.identified(where, threshold_model.answer)
    )
    return threshold_model.write(tmp_path / "fast")


def test_batches_and_workers_make_no_difference(fast, tree, tmp_path):
    for batch_size, workers in ((1, 1), (5, 3)):
        out = tmp_path / f"{batch_size}"
        predictor.predict(
            fast, [tree], out, lambda share: None, batch_size=batch_size, workers=workers
        )
    assert contents(tmp_path / "1") == contents(tmp_path / "5")


class CutError(BaseException):
    """What ends a run where the test wants it."""


def asked_until(model, num_calls, asked):
    """A model that fails after some calls, and notes what it was asked for."""

    def answer(images):
        asked.extend(images)
        if len(asked) > num_calls:
            raise CutError
        return model(images)

    return answer


@pytest.mark.parametrize("num_calls", [0, 1, 4, 7])
def test_a_run_that_was_cut_off_goes_on(fast, tree, tmp_path, monkeypatch, num_calls):
    out, whole, model = tmp_path / "out", tmp_path / "whole", threshold_model.answer
    predictor.predict(fast, [tree], whole, lambda share: None)
    asked = []
    monkeypatch.setattr(
        models,
        "identify",
        lambda where: threshold_model.identified(where, asked_until(model, num_calls, asked)),
    )
    if num_calls < 7:
        with pytest.raises(CutError):
            predictor.predict(fast, [tree], out, lambda share: None, batch_size=1, workers=1)
        assert not out.exists()
        monkeypatch.setattr(
            models,
            "identify",
            lambda where: threshold_model.identified(where, asked_until(model, 99, asked)),
        )
    shares = []
    predictor.predict(fast, [tree], out, shares.append, batch_size=1, workers=1)
    assert sum(shares) == pytest.approx(1)
    assert contents(out) == contents(whole)
    # A few answers may have been lost on their way to the disk, none that was written.
    assert len(asked) <= 7 + 1 + 2 * 2


def test_another_model_does_not_go_on(fast, tree, tmp_path, monkeypatch):
    out = tmp_path / "out"
    model, asked = threshold_model.answer, []
    monkeypatch.setattr(
        models,
        "identify",
        lambda where: threshold_model.identified(where, asked_until(model, 3, asked)),
    )
    with pytest.raises(CutError):
        predictor.predict(fast, [tree], out, lambda share: None, batch_size=1)
    other = predictor.Options(take="chest")
    with pytest.raises(ValueError, match=r"out.partial holds what another model or other options"):
        predictor.predict(fast, [tree], out, lambda share: None, other)
    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, model))
    predictor.predict(fast, [tree], out, lambda share: None, other, begin_anew=True)
    assert len(pd.read_csv(out / "findings.csv")) == 12


def test_what_a_changed_source_left_is_no_result(fast, tmp_path, monkeypatch):
    pytest.importorskip("highdicom")
    scans, out = tmp_path / "scans", tmp_path / "out"
    for name in ("a", "b", "c"):
        make_dicom.write(scans / name)
    model, asked = threshold_model.answer, []
    monkeypatch.setattr(
        models,
        "identify",
        lambda where: threshold_model.identified(where, asked_until(model, 2, asked)),
    )
    with pytest.raises(CutError):
        predictor.predict(fast, [scans], out, lambda share: None, OPTIONS, batch_size=1, workers=1)
    (scans / "a").unlink()
    make_dicom.write(scans / "b", level=50)
    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, model))
    predictor.predict(fast, [scans], out, lambda share: None, OPTIONS)
    assert sorted(path.name for path in (out / "overlays").iterdir()) == ["b.png", "c.png"]
    assert [path.name for path in (out / "segmentations").iterdir()] == ["c.dcm"]


def test_results_do_not_come_to_lie_among_the_sources(fast, scans):
    with pytest.raises(ValueError, match=r"out lies in .*scans, which is predicted"):
        predictor.predict(fast, [scans], scans / "out", lambda share: None)


def test_a_folder_of_something_else_is_left_alone(fast, scans, tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "thesis.txt").touch()
    with pytest.raises(ValueError, match=r"out.partial is where predictions are made, and holds"):
        predictor.predict(fast, [scans], tmp_path / "out", lambda share: None)
    assert (tmp_path / "out.partial" / "thesis.txt").exists()


def test_hostile_names_and_tags_are_no_formulas_and_no_paths(fast, tmp_path):
    scans, out = tmp_path / "scans", tmp_path / "out"
    formula = "=HYPERLINK(1)"
    make_dicom.write(scans / formula / "=1+1.dcm", PatientID="=cmd", SOPInstanceUID="../../up")
    make_dicom.write(scans / "left.dcm", BodyPartExamined="@SUM(<script>)")
    predictor.predict(fast, [scans], out, lambda share: None, OPTIONS)
    for name in ("findings.csv", "skipped.csv", "predictions.csv"):
        with (out / name).open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell[:1] in set("=+@\t\r")], name
    (row,) = pd.read_csv(out / "findings.csv").to_dict("records")
    assert row["segmentation"] == "none: its SOPInstanceUID is no valid UID"
    made = {path for path in tmp_path.rglob("*") if not {scans, fast, out} & set(path.parents)}
    assert made == {scans, fast, out}


def test_runs_that_are_killed_end_with_what_one_run_makes(tree, tmp_path, monkeypatch):
    export = threshold_model.write(tmp_path / "export")
    monkeypatch.setattr(
        models, "identify", lambda where: threshold_model.identified(where, threshold_model.answer)
    )
    predictor.predict(export, [tree], tmp_path / "whole", lambda share: None)
    out, journal = tmp_path / "out", tmp_path / "out.partial" / "journal.jsonl"
    arguments = [sys.executable, "-m", "tests.serving.threshold_model", export, tree, out]
    num_lines = 0
    for num_more in (3, 4):
        process = subprocess.Popen(arguments, cwd=REPOSITORY)
        until = time.monotonic() + 60
        while _num_lines(journal) < num_lines + num_more and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert not out.exists()
        num_lines = _num_lines(journal)
    predictor.predict(export, [tree], out, lambda share: None)
    assert contents(out) == contents(tmp_path / "whole")


def _num_lines(journal):
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def test_a_storage_that_fails_ends_the_run_which_goes_on_when_it_is_back(fast, tmp_path):
    scans, out = tmp_path / "scans", tmp_path / "out"
    for name in ("a", "b", "c"):
        make_dicom.write(scans / name)
    away = scans / "b"
    found = intake.find([scans])
    content = away.read_bytes()
    away.unlink()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(FileNotFoundError):
        patch.setattr(intake, "find", lambda inputs: found)
        predictor.predict(fast, [scans], out, lambda share: None, workers=1)
    assert not out.exists()
    away.write_bytes(content)
    predictor.predict(fast, [scans], out, lambda share: None)
    assert list(pd.read_csv(out / "findings.csv")["image_id"]) == ["a", "b", "c"]
    assert pd.read_csv(out / "findings.csv")["error"].isna().all()


def test_one_image_that_gets_no_answer_is_a_finding(fast, scans, tmp_path, monkeypatch):
    def model(images):
        answers = threshold_model.answer(images)
        if any(answer.pixel_count == 900 for answer in answers):
            raise ValueError("no answer from http://host: 500")
        return answers

    monkeypatch.setattr(models, "identify", lambda where: threshold_model.identified(where, model))
    predictor.predict(fast, [scans], tmp_path / "out", lambda share: None)
    table = pd.read_csv(tmp_path / "out" / findings.NAME, index_col="image_id")
    assert table.loc["spot", "error"] == "no answer from http://host: 500"
    assert list(pd.read_csv(tmp_path / "out" / "predictions.csv")["ImageId"]) == ["tiny"]


def test_a_model_that_does_not_answer_leaves_nothing_behind(scans, tmp_path, monkeypatch):
    def refuse(where):
        raise ValueError(f"no answer from {where}")

    monkeypatch.setattr(models, "open_model", refuse)
    before = set(tmp_path.iterdir())
    with pytest.raises(ValueError, match="no answer from"):
        predictor.predict("http://host/lungs", [scans], tmp_path / "out", lambda share: None)
    assert set(tmp_path.iterdir()) == before


def test_no_path_of_a_file_that_is_left_out_is_cut(fast, tmp_path):
    scans = tmp_path / "scans"
    name = "/".join(["study" * 20] * 3 + ["notes.txt"])
    make_dicom.write(scans / "a.dcm")
    (scans / name).parent.mkdir(parents=True)
    (scans / name).write_text("no scan")
    predictor.predict(fast, [scans], tmp_path / "out", lambda share: None)
    assert list(pd.read_csv(tmp_path / "out" / "skipped.csv")["path"]) == [name]
