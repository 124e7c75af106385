import cv2
import numpy as np
import pandas as pd
import pytest

from tests.studies.report import make_study
from tfptx.operating_point import maps
from tfptx.studies.report import page, previews


@pytest.fixture
def hostile(tmp_path, maps_folder):
    """Maps whose first id leads to a photo beside their folder."""
    photo = bytes(cv2.imencode(".jpg", np.full((8, 8), 200, np.uint8))[1])
    (tmp_path / "photo.jpg").write_bytes(photo)
    index = pd.read_csv(maps_folder / "index.csv", keep_default_na=False)
    index.loc[0, "image_id"] = "../../photo"
    index.to_csv(maps_folder / "index.csv", index=False)
    return maps_folder


def test_no_file_of_elsewhere_comes_into_a_page(tmp_path, hostile):
    opened = maps.read(hostile)
    for read in (previews.read, previews.uri):
        with pytest.raises(ValueError, match="leads out of previews/"):
            read(opened, 0)
    make_study.write_sweeps(tmp_path / "study", hostile, ["joint"])
    with pytest.raises(ValueError, match="leads out of previews/"):
        page.write(tmp_path / "study", [], [], make_study.unheard)
    assert not (tmp_path / "study" / page.NAME).exists()


def test_maps_without_previews_are_drawn_on_grey(maps_folder):
    opened = maps.read(maps_folder)
    (maps_folder / "previews" / "found.jpg").unlink()
    assert previews.uri(opened, 0) is None
    assert (previews.read(opened, 0) == previews.PLAIN_GREY).all()
    assert previews.uri(opened, 1).startswith("data:image/jpeg;base64,")
