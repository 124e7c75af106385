"""Both clients against a server on loopback: the same answers, the same errors."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving import bright_network, model_server
from tests.serving.c_saved_model import CSavedModel
from tfptx.scans.codec import to_png
from tfptx.serving import address, client, layout, models
from tfptx.serving.answers import Answer

ROOTS_OF_GRPC = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
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


def test_a_large_image_is_tried_again_too(where, served):
    noise = np.random.default_rng(0).integers(0, 255, (600, 600), np.uint8)
    large = to_png(noise)
    assert len(large) > 2**18
    ask = models.open_model(where)
    served.faults = [503]
    assert ask([large])[0].error == ""
    assert served.num_asked == 2


def test_an_image_beyond_the_servers_limit_answers_for_itself(served):
    limited = grpc.server(ThreadPoolExecutor(2))  # of 4 MiB, which is what gRPC has by itself
    service = prediction_service_pb2_grpc
    service.add_PredictionServiceServicer_to_server(model_server.Grpc(served), limited)
    port = limited.add_insecure_port("127.0.0.1:0")
    limited.start()
    try:
        first, second = models.open_model(f"grpc://127.0.0.1:{port}")([bytes(5 * 2**20), SPOT])
    finally:
        limited.stop(None).wait()
    assert "refuses it" in first.error
    assert "larger than max" in first.error
    assert second.decision


def test_the_end_of_the_process_waits_for_no_answer():
    kinds = []

    def ask(image):
        kinds.append(threading.current_thread().daemon)
        return Answer(image, 0, False, 0.0)

    asked = client.bounded(ask, address.parse("http://host?requests=1"))([b"1", b"2"])
    assert [answer.mask_png for answer in asked] == [b"1", b"2"]
    assert kinds == [True, True]


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
    assert served.num_asked <= 1  # it is not asked for again, which would take as long


def test_no_model_of_that_name_or_version_is_an_error(where, served):
    for path in ("/other", "/tfptx/9"):
        with pytest.raises(ValueError, match=f"no model at .*{path}: .*Servable not found"):
            models.open_model(where + path)


def test_a_model_without_the_signature_is_refused(where, served, monkeypatch):
    others = {name: each for name, each in served.model.signatures.items() if name != layout.MASKS}
    monkeypatch.setattr(served.model, "signatures", others)
    with pytest.raises(
        ValueError, match="has no signature masks with fingerprints; serve an export"
    ):
        models.open_model(where)


def test_an_export_from_before_fingerprints_is_refused(where, served, monkeypatch):
    older = {name: type(each)() for name, each in served.model.signatures.items()}
    for name, each in served.model.signatures.items():
        older[name].CopyFrom(each)
        older[name].outputs.pop(layout.FINGERPRINT, None)
    monkeypatch.setattr(served.model, "signatures", older)
    with pytest.raises(ValueError, match="serve an export of this version of tfptx"):
        models.open_model(where)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_at_all_is_an_error(scheme):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}/tfptx"
        with pytest.raises(ValueError, match=rf"no answer from {where}.*refused"):
            models.open_model(where)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_grpcs_trusts_a_certificate_of_a_known_authority_alone(bright_export, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext"
    made = ["openssl", *words.split(), "subjectAltName=DNS:localhost"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    secret = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    served = model_server.Served(CSavedModel(bright_export / "3"))
    remote = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        model_server.Grpc(served), remote
    )
    port = remote.add_secure_port("localhost:0", secret)
    remote.start()
    code = (
        "from tfptx.serving import models\n"
        f"ask = models.open_model('grpcs://localhost:{port}?timeout_seconds=20')\n"
        f"print(ask([bytes.fromhex('{SPOT.hex()}')])[0].decision)"
    )
    try:
        # gRPC reads the roots once in a process.
        for roots, is_known in ((certificate, True), (None, False)):
            environment = {
                name: value for name, value in os.environ.items() if name != ROOTS_OF_GRPC
            }
            environment |= {} if roots is None else {ROOTS_OF_GRPC: str(roots)}
            done = subprocess.run(
                [sys.executable, "-c", code],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.stdout == "True\n") == is_known
            assert ("no answer from grpcs://localhost" in done.stderr) != is_known
    finally:
        remote.stop(None).wait()
