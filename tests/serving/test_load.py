import dataclasses

from tests.serving import load
from tfptx.serving import local_model


def test_every_answer_under_load_is_the_known_one(where, served, bright_export):
    contents = load.images(128)
    expected = local_model.open_export(bright_export)(contents)
    assert sum(bool(answer.error) for answer in expected) == 5
    assert len({answer.pixel_count for answer in expected}) > 5
    outcome = load.run(where, contents, expected, num_clients=4, num_seconds=2)
    assert outcome.wrong == outcome.failed == []
    assert len(outcome.seconds) >= 4
    assert served.most_at_once > 1
    assert outcome.percentile(50) <= outcome.percentile(99)


def test_a_wrong_answer_is_found(where, served, bright_export):
    contents = load.images(128)[:2]
    expected = local_model.open_export(bright_export)(contents)
    expected[1] = dataclasses.replace(expected[1], pixel_count=expected[1].pixel_count + 1)
    outcome = load.run(where, contents, expected, num_clients=1, num_seconds=1)
    assert outcome.wrong
    assert all(each.startswith("image 1: ") for each in outcome.wrong)
