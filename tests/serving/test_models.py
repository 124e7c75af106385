import subprocess
import sys
from dataclasses import replace

import cv2
import pytest

from tests.serving import bright_network, threshold_model
from tests.serving.c_saved_model import CSavedModel
from tfptx.operating_point import rule
from tfptx.scans.codec import to_png
from tfptx.serving import faults, models, predictor, served_model
from tfptx.serving.answers import Answer


def written(folder):
    """The files of predictions; `predictions.json` names the model by where it was asked."""
    paths = (path for path in folder.rglob("*.*") if path.name != "predictions.json")
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def test_what_a_server_predicts_is_what_its_export_does(bright_export, where, tmp_path):
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans" / "spot.png"), bright_network.image())
    cv2.imwrite(str(tmp_path / "scans" / "dark.jpg"), bright_network.image(50, 80, 90))
    (tmp_path / "scans" / "broken.dcm").write_bytes(b"no DICOM")
    for model, out in ((str(bright_export), "local"), (where, "remote")):
        predictor.predict(model, [tmp_path / "scans"], tmp_path / out, lambda share: None)
    assert len(written(tmp_path / "local")) == 5
    assert written(tmp_path / "remote") == written(tmp_path / "local")


def test_who_asks_over_http_needs_no_tensorflow(running, tmp_path):
    cv2.imwrite(str(tmp_path / "spot.png"), bright_network.image())
    words = ["predict", "--model", f"http://127.0.0.1:{running[1]}", "--out", "out", "spot.png"]
    code = (
        "import sys\nfrom tfptx.cli.main import main\n"
        f"main({words!r}, standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines() == ["out: 1 of 1 images with a pneumothorax", "[]"]


def test_results_have_one_fingerprint_whoever_serves_the_export(bright_export, where):
    for each in (bright_export, where):
        assert models.identify(each).identity.fingerprint == "bright"


def test_a_version_that_is_exported_meanwhile_is_not_named(tmp_path, monkeypatch):
    threshold_model.write(tmp_path / "export" / "3")

    def open_slowly(where):
        threshold_model.write(tmp_path / "export" / "4")
        opened.append(where)
        return threshold_model.answer

    opened = []
    monkeypatch.setattr(models, "open_model", open_slowly)
    found = models.identify(tmp_path / "export")
    assert (found.identity.version, found.where) == ("3", tmp_path / "export" / "3")
    assert opened == [tmp_path / "export" / "3"]


def test_an_error_by_another_model_is_none_of_this_one(monkeypatch, tmp_path):
    answer = threshold_model.answer([to_png(bright_network.image())])[0]
    told = [replace(answer, fingerprint="one"), replace(answer, fingerprint="one", error="cut")]
    told += [Answer(b"", 0, False, 0.0, error="refused"), replace(told[1], fingerprint="other")]
    monkeypatch.setattr(models, "open_model", lambda where: lambda images: [told.pop(0)])
    opened = models.identify(threshold_model.write(tmp_path / "1"))
    assert [opened.model([b""])[0].error for _ in range(2)] == ["cut", "refused"]
    with pytest.raises(faults.OtherModelError):
        opened.model([b""])


def test_what_never_answers_is_not_opened(bright_export, monkeypatch):
    monkeypatch.setattr(models, "open_model", lambda where: fail)
    with pytest.raises(faults.NoAnswerError, match="the model fails: RuntimeError"):
        models.identify(bright_export)


def fail(images):
    raise RuntimeError("the device is gone")


def test_another_model_behind_the_address_ends_the_work(where, served, monkeypatch, tmp_path):
    opened = models.identify(where)
    image = to_png(bright_network.image())
    assert opened.model([image])[0].decision
    pair = rule.pair(0.5, 300, 64)
    module, signatures = served_model.build([bright_network.build()], pair, 64, False, "other")
    served_model.save(module, signatures, tmp_path / "4")
    monkeypatch.setattr(served, "model", CSavedModel(tmp_path / "4"))
    with pytest.raises(faults.OtherModelError, match="is another model than at first"):
        opened.model([image])
    with pytest.raises(faults.OtherModelError):
        faults.answers(opened.model, [image])
