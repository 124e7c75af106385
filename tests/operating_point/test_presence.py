import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import counts, kinds, maps
from tfptx.operating_point.grid import Grid

GRID = Grid("presence", {"threshold": (0.5,), "min_pixels": (0,), "min_presence": (0.0, 0.4)}, 8)


def test_images_without_a_presence_are_refused(tmp_path):
    levels, truths = make_maps.draw(0, [(8, 8)] * 3)
    folder = make_maps.write(tmp_path / "m", levels, truths, presences=[0.5, None, 0.2])
    opened = maps.read(folder)
    counted = [counts.of(opened, lambda share: None)]
    with pytest.raises(ValueError, match=r"1 of 3 images have no presence; .*heads = \["):
        kinds.cells([opened], counted, GRID, lambda share: None)


def test_a_presence_that_is_no_probability_is_refused(tmp_path):
    folder = make_maps.write(tmp_path / "m", *make_maps.draw(0, [(8, 8)]), presences=[1.5])
    with pytest.raises(ValueError, match="a presence is a probability, from 0 to 1"):
        maps.read(folder)
