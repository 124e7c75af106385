import numpy as np
import pytest

from tests.serving import threshold_model
from tfptx.scans.codec import to_png
from tfptx.serving import faults

GOOD, BAD = (to_png(np.full((4, 6), level, np.uint8)) for level in (200, 100))


def failing(error, num_times, asked):
    """A model that fails where BAD is among its images, the first times."""

    def model(images):
        asked.append(len(images))
        if BAD in images and sum(BAD in each for each in seen) < num_times:
            seen.append(list(images))
            raise error
        return threshold_model.answer(images)

    seen = []
    return model


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no answer from http://host: 500"), "no answer from http://host: 500"),
        (OSError(110, "timed out", "path"), "the model can't be asked (timed out)"),
        (RuntimeError("a node"), "the model fails: RuntimeError"),
    ],
)
def test_one_image_without_an_answer_answers_for_itself(error, reason):
    asked = []
    found = faults.answers(failing(error, 99, asked), [GOOD, BAD, GOOD])
    assert [answer.error for answer in found] == ["", reason, ""]
    assert [answer.pixel_count for answer in found] == [24, 0, 24]
    # The batch, a generated radiograph, the good ones, and the other one each time with another.
    assert asked == [3, 1, 1, *[1, 1] * faults.TRIES, 1]


def test_a_passing_failure_leaves_no_trace():
    found = faults.answers(failing(ValueError("busy"), 2, []), [GOOD, BAD])
    assert found == threshold_model.answer([GOOD, BAD])


def test_a_model_that_answers_nothing_is_at_fault():
    def model(images):
        raise RuntimeError("the device is gone")

    with pytest.raises(faults.NoAnswerError, match="the model fails: RuntimeError"):
        faults.answers(model, [GOOD, BAD])


def test_a_model_that_refuses_a_good_radiograph_is_at_fault():
    def model(images):
        if len(images) > 1:
            raise ValueError("busy")
        return [faults.Answer(b"", 0, False, 0.0, error="not finite")]

    with pytest.raises(faults.NoAnswerError, match="busy; nor does it answer a generated one"):
        faults.answers(model, [GOOD, BAD])


def test_nothing_is_not_asked_for():
    assert faults.answers(None, []) == []
