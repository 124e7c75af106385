import cv2

from tests.serving import bright_network
from tfptx.serving import predictor


def written(folder):
    """The files of predictions; `predictions.json` names the model."""
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
