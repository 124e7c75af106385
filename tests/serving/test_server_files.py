"""What starts a server: read by its own messages and by YAML; the smoke test, run."""

import base64
import json
import subprocess
import sys
from importlib import metadata

import pytest
import requests
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.serving import bright_network
from tfptx.scans.codec import to_png
from tfptx.serving import models, server_files

IMAGE = to_png(bright_network.image())


@pytest.fixture(scope="module")
def export(bright_export):
    (answer,) = models.open_model(bright_export)([IMAGE])
    server_files.write(bright_export, IMAGE, answer, size_bytes=500 * 2**20, xla=False)
    return bright_export


def flags_of(folder):
    """The flags of compose.yaml, which kubernetes.yaml has too."""
    compose = yaml.safe_load((folder / "compose.yaml").read_text())
    service = compose["services"]["tfptx"]
    documents = list(yaml.safe_load_all((folder / "kubernetes.yaml").read_text()))
    pod = documents[1]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == service["command"]
    image = f"tensorflow/serving:{metadata.version('tensorflow')}"
    assert container["image"] == service["image"] == image
    assert service["volumes"] == ["..:/models/tfptx:ro"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert [each["kind"] for each in documents] == [
        "PersistentVolumeClaim",
        "Deployment",
        "Service",
    ]
    assert documents[0]["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert documents[2]["spec"]["selector"] == documents[1]["spec"]["selector"]["matchLabels"]
    return dict(flag.removeprefix("--").partition("=")[::2] for flag in service["command"])


def test_a_server_finds_its_files_where_they_are_mounted(export):
    flags = flags_of(export / "serving")
    for name in ("model_config_file", "monitoring_config_file", "batching_parameters_file"):
        assert (export / flags[name].removeprefix("/models/tfptx/")).is_file()
    assert "xla_cpu_compilation_enabled" not in flags
    content = (export / "serving" / "models.config").read_text()
    parsed = text_format.Parse(content, model_server_config_pb2.ModelServerConfig())
    (model,) = parsed.model_config_list.config
    assert (model.name, model.base_path) == ("tfptx", "/models/tfptx")
    assert model.model_platform == "tensorflow"
    assert "allowed_batch_sizes" not in (export / "serving" / "batching.config").read_text()


def test_compiled_networks_get_few_batch_sizes_and_a_flag(export, tmp_path):
    (answer,) = models.open_model(export)([IMAGE])
    folder = server_files.write(tmp_path, IMAGE, answer, size_bytes=500 * 2**20, xla=True)
    assert "xla_cpu_compilation_enabled" in flags_of(folder)
    lines = (folder / "batching.config").read_text().splitlines()
    assert lines[-3:] == [f"allowed_batch_sizes: {size}" for size in (1, 2, 4)]


def smoke_test(folder, where):
    return subprocess.run(
        [sys.executable, folder / "smoke_test", where], capture_output=True, text=True, check=False
    )


def test_the_smoke_test_passes_a_server_of_the_export(export, running, served):
    done = smoke_test(export / "serving", f"http://127.0.0.1:{running[1]}")
    assert done.returncode == 0, done.stderr
    assert "answers as the export does" in done.stdout
    assert served.num_asked == 5


def test_the_smoke_test_tells_what_is_wrong(export, running, served, tmp_path):
    where = f"http://127.0.0.1:{running[1]}"
    for name in ("smoke_test", "radiograph.png", "expected.json"):
        (tmp_path / name).write_bytes((export / "serving" / name).read_bytes())
    expected = json.loads((tmp_path / "expected.json").read_text())
    (tmp_path / "expected.json").write_text(json.dumps(expected | {"pixel_count": 5}))
    done = smoke_test(tmp_path, where)
    assert done.returncode == 1
    assert f"pixel_count is {expected['pixel_count']}, the export's was 5" in done.stderr
    (tmp_path / "expected.json").write_text(json.dumps(expected | {"fingerprint": "dark"}))
    assert "serves another export: its fingerprint is bright" in smoke_test(tmp_path, where).stderr
    served.faults = [503]
    assert "answers 503: " in smoke_test(tmp_path, where).stderr
    assert "no answer from http://127.0.0.1:1/" in smoke_test(tmp_path, "http://127.0.0.1:1").stderr


def test_a_batching_server_wants_one_number_for_each_image_and_few_images(running, served):
    image = {"image_bytes": {"b64": base64.b64encode(IMAGE).decode()}}
    names = ("top_threshold", "area_px", "bottom_threshold", "min_presence", "size_px")

    def ask(row, num_rows):
        content = {"signature_name": "with_point", "instances": [row] * num_rows}
        url = f"http://127.0.0.1:{running[1]}/v1/models/tfptx:predict"
        return requests.post(url, json=content, timeout=60).json()

    assert ask(image, 1)["predictions"][0]["decision"]
    assert "equal 0th-dimension size" in ask(image, 2)["error"]
    whole = image | dict.fromkeys(names, -1)
    assert [each["decision"] for each in ask(whole, 2)["predictions"]] == [True, True]
    assert "larger than maximum input batch size" in ask(whole, 5)["error"]
