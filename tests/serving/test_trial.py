import pytest

from tests.serving import bright_network
from tfptx.scans.codec import to_png
from tfptx.serving import models, trial


def test_a_trial_is_the_answer_the_time_and_the_size(bright_export):
    image = to_png(bright_network.image())
    tried = trial.run(bright_export / "3", image)
    assert [tried.answer] == models.open_model(bright_export)([image])
    assert 0 < tried.later_seconds <= tried.first_seconds
    files = [path for path in (bright_export / "3").rglob("*") if path.is_file()]
    assert tried.size_bytes == sum(len(path.read_bytes()) for path in files)


def test_an_export_that_does_not_answer_is_refused(bright_export):
    with pytest.raises(ValueError, match="does not answer as it should: neither PNG nor JPEG"):
        trial.run(bright_export / "3", b"no picture")
