"""An export of a network of a few numbers, and a server of it."""

import pytest

from tests.serving import bright_network, model_server
from tfptx.operating_point import rule
from tfptx.serving import served_model


@pytest.fixture(scope="session")
def bright_export(tmp_path_factory):
    """An export of a network that finds what is brighter than half of white."""
    folder = tmp_path_factory.mktemp("export")
    pair = rule.pair(0.5, 300, 64)
    module, signatures = served_model.build([bright_network.build()], pair, 64, False, "bright")
    served_model.save(module, signatures, folder / "3")
    return folder


@pytest.fixture(scope="session")
def running(bright_export):
    """What is served, and the ports of REST and gRPC."""
    with model_server.running(bright_export / "3") as started:
        yield started


@pytest.fixture
def served(running):
    """What is served, without faults of another test."""
    served = running[0]
    served.faults, served.delay_seconds = [], 0.0
    served.num_asked = served.most_at_once = 0
    return served


@pytest.fixture(params=["http", "grpc"])
def where(request, running):
    """The address of either interface."""
    _, rest_port, grpc_port = running
    port = rest_port if request.param == "http" else grpc_port
    return f"{request.param}://127.0.0.1:{port}"
