import dataclasses

import numpy as np
import pytest

from tests.serving import threshold_model
from tfptx.scans import intake, samples
from tfptx.scans.codec import to_png
from tfptx.scans.intake import File, Left
from tfptx.scans.scan import Scan
from tfptx.serving import asking
from tfptx.serving.answers import Answer


def content(tmp_path, name, rows=4, columns=6, level=200):
    image = np.full((rows, columns), level, np.uint8)
    scan = Scan(name, to_png(image), "png", rows, columns, sample=samples.of_pixels(image))
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


def test_what_is_left_out_is_not_held_back(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "MAX_BATCH_FILES", 5)
    left = File(tmp_path / "x", "x", "x"), Left("no scan", has_failed=False)
    contents = [left] * 3 + [content(tmp_path, "a")] + [left] * 7
    num_read = []

    def reading():
        for at, each in enumerate(contents, start=1):
            num_read.append(at)
            yield each

    answered = asking.ask(threshold_model.answer, reading(), 4)
    at_yield = [len(num_read) for _ in answered]
    assert at_yield == [1, 2, 3, *[8] * 5, 9, 10, 11]


def test_a_file_is_stamped_before_it_is_read(tmp_path, monkeypatch):
    file = File(tmp_path / "a", "a", "a")
    file.path.write_text("before")
    before = intake.stamp(file.path)

    def change(file, take):
        file.path.write_text("longer than before")
        return Left("no scan", has_failed=False)

    monkeypatch.setattr(intake, "read", change)
    stamped, _ = asking.read("frontal", file)
    assert stamped == dataclasses.replace(file, stamp=before)
    assert stamped.stamp not in {"", intake.stamp(file.path)}


@pytest.mark.parametrize("mask_png", [b"", b"no image", to_png(np.zeros((4, 5), np.uint8))])
def test_a_mask_of_another_size_is_refused(tmp_path, mask_png):
    _, scan = content(tmp_path, "a")
    (answer,) = threshold_model.answer([scan.image])
    assert asking.mask_of(answer, scan).all()
    with pytest.raises(ValueError, match="the model gives no mask of 4 x 6 pixels"):
        asking.mask_of(dataclasses.replace(answer, mask_png=mask_png), scan)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pixel_count": 5}, "pixel count or decision"),
        ({"decision": False}, "pixel count or decision"),
        ({"image_score": float("nan")}, "no probability"),
        ({"image_score": 9.0}, "no probability"),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(tmp_path, changes, reason):
    _, scan = content(tmp_path, "one", rows=4, columns=6)
    whole = Answer(to_png(np.full((4, 6), 255, np.uint8)), 24, True, 0.9)
    assert asking.mask_of(whole, scan).all()
    with pytest.raises(ValueError, match=reason):
        asking.mask_of(dataclasses.replace(whole, **changes), scan)
