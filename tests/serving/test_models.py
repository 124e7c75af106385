import cv2

from tests.serving import bright_network
from tfptx.serving import predictor


def written(folder):
    """The tables and pictures, by name."""
    paths = (path for path in folder.rglob("*") if path.suffix in {".csv", ".png"})
    return {path.name: path.read_bytes() for path in paths}


def test_what_a_server_predicts_is_what_its_export_does(bright_export, where, tmp_path):
    (tmp_path / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "scans" / "spot.png"), bright_network.image())
    cv2.imwrite(str(tmp_path / "scans" / "dark.jpg"), bright_network.image(50, 80, 90))
    (tmp_path / "scans" / "broken.dcm").write_bytes(b"no DICOM")
    for model, out in ((str(bright_export), "local"), (where, "remote")):
        predictor.predict(model, [tmp_path / "scans"], tmp_path / out, lambda share: None)
    assert {"predictions.csv", "findings.csv", "spot.png"} <= set(written(tmp_path / "local"))
    assert written(tmp_path / "remote") == written(tmp_path / "local")
