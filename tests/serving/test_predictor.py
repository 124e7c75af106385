import dataclasses
import math

import cv2
import numpy as np
import pandas as pd
import pytest

from tfptx.scans import intake, rle
from tfptx.serving import findings, overlay, predictor

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
