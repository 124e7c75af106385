"""Both clients against a server on loopback: the same answers, the same errors."""

import socket
import time

import pytest

from tests.serving import bright_network
from tfptx.scans.codec import to_png
from tfptx.serving import client, layout, models
from tfptx.serving.answers import Answer

SPOT = to_png(bright_network.image())
DARK = to_png(bright_network.image(50, 70, 100))
FILES = [SPOT, b"no picture", DARK]


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Waits of a hundredth, so that no test sits through them."""
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.02)


def test_a_server_answers_as_the_export_does(bright_export, where, served):
    local = models.open_model(bright_export)
    answers = models.open_model(where)(FILES)
    assert answers == [answer for file in FILES for answer in local([file])]
    assert [answer.decision for answer in answers] == [True, False, False]
    assert answers[1].error == "neither PNG nor JPEG by its first bytes"
    assert models.open_model(where)([]) == []
    assert served.num_asked == len(FILES)


@pytest.mark.parametrize("path", ["/tfptx", "/tfptx/1", "/v1/models/tfptx/versions/1"])
def test_name_and_version_stand_in_the_address(where, served, path):
    assert models.open_model(where + path)([SPOT])[0].decision
    assert served.num_asked == 1


def test_requests_at_once_are_bounded(where, served):
    served.delay_seconds = 0.05
    answers = models.open_model(f"{where}?requests=2")([SPOT, DARK] * 4)
    assert [answer.decision for answer in answers] == [True, False] * 4
    assert served.most_at_once == 2


def test_a_passing_fault_is_tried_again(where, served):
    ask = models.open_model(where)
    served.faults = [503, 429, 503]
    assert ask([SPOT])[0].decision
    assert served.num_asked == 4


def test_a_lasting_fault_ends_it_and_says_so(where, served):
    ask = models.open_model(where)
    served.faults = [503] * 20
    with pytest.raises(ValueError, match=r"no answer from .*127.0.0.1.*; see that the server runs"):
        ask([SPOT])
    assert served.num_asked == client.TRIES


def test_what_can_not_pass_is_not_tried_again(where, served):
    ask = models.open_model(where)
    served.faults = [500]
    with pytest.raises(ValueError, match=r"no answer from .*it was told to fail"):
        ask([SPOT])
    assert served.num_asked == 1


def test_an_image_that_the_server_refuses_answers_for_itself(where, served):
    ask = models.open_model(f"{where}?requests=1")
    served.faults = [400]
    first, second = ask([DARK, SPOT])
    assert first == Answer(b"", 0, False, 0.0, error=first.error)
    assert "refuses it" in first.error
    assert "it was told to fail" in first.error
    assert second.decision


def test_a_late_answer_is_an_error(where, served, monkeypatch):
    monkeypatch.setattr(client, "TRIES", 2)
    ask = models.open_model(f"{where}?timeout_seconds=0.3")
    served.delay_seconds = 1.0
    began = time.monotonic()
    with pytest.raises(ValueError, match="no answer from"):
        ask([SPOT])
    assert time.monotonic() - began < 3


def test_no_model_of_that_name_or_version_is_an_error(where, served):
    for path in ("/other", "/tfptx/9"):
        with pytest.raises(ValueError, match=f"no model at .*{path}: .*Servable not found"):
            models.open_model(where + path)


def test_a_model_without_the_signature_is_refused(where, served, monkeypatch):
    others = {name: each for name, each in served.model.signatures.items() if name != layout.MASKS}
    monkeypatch.setattr(served.model, "signatures", others)
    with pytest.raises(ValueError, match="has no signature masks; serve an export"):
        models.open_model(where)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_at_all_is_an_error(scheme):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}/tfptx"
        with pytest.raises(ValueError, match=rf"no answer from {where}.*refused"):
            models.open_model(where)
