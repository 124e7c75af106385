import dataclasses

import numpy as np
import pytest

from tests.serving import threshold_model
from tfptx.scans.intake import File, Left
from tfptx.scans.scan import Scan, sample_of, to_png
from tfptx.serving import asking


def content(tmp_path, name, rows=4, columns=6, level=200):
    image = np.full((rows, columns), level, np.uint8)
    scan = Scan(name, to_png(image), "png", rows, columns, sample=sample_of(image))
    return File(tmp_path / name, name, name), scan


def asked(contents, batch_size):
    """The answers, and how many images each call had."""
    sizes = []

    def model(images):
        sizes.append(len(images))
        return threshold_model.answer(images)

    return list(asking.ask(model, contents, batch_size)), sizes


def test_scans_are_asked_for_by_batches_and_the_order_stays(tmp_path):
    left = Left("no scan", has_failed=False)
    contents = [content(tmp_path, f"{at}", level=100 + 10 * at) for at in range(6)]
    contents[2:2] = [(File(tmp_path / "x", "x", "x"), left)] * 3
    answered, sizes = asked(contents, 4)
    assert sizes == [4, 2]
    assert [(each.file, each.content) for each in answered] == contents
    assert [each.answer is None for each in answered] == [False] * 2 + [True] * 3 + [False] * 4
    scores = [each.answer.image_score for each in answered if each.answer]
    assert scores == [(100 + 10 * at) / 255 for at in range(6)]


def test_a_model_is_not_asked_for_nothing(tmp_path):
    left = [(File(tmp_path / "x", "x", "x"), Left("no scan", has_failed=False))]
    assert asked(left, 4)[1] == []
    assert asked([], 4) == ([], [])


def test_large_images_are_asked_for_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "MAX_BATCH_PX", 100)
    sides = (5, 5, 9, 20, 5, 5)
    contents = [content(tmp_path, f"{at}", side, side) for at, side in enumerate(sides)]
    assert asked(contents, 4)[1] == [2, 1, 1, 2]


@pytest.mark.parametrize("mask_png", [b"", b"no image", to_png(np.zeros((4, 5), np.uint8))])
def test_a_mask_of_another_size_is_refused(tmp_path, mask_png):
    _, scan = content(tmp_path, "a")
    (answer,) = threshold_model.answer([scan.image])
    assert asking.mask_of(answer, scan).all()
    with pytest.raises(ValueError, match="the model gives no mask of 4 x 6 pixels"):
        asking.mask_of(dataclasses.replace(answer, mask_png=mask_png), scan)
