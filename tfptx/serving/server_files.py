"""This holds what a server of an export needs: its configs, two ways to start it, a smoke test.

They are for TensorFlow Serving's own image.
"""

import dataclasses
import math
from importlib import metadata
from pathlib import Path

import jinja2

from tfptx import files
from tfptx.serving import layout
from tfptx.serving.answers import Answer

FOLDER = "serving"  # beside the versions, where TensorFlow Serving looks at numbered folders only
TEMPLATES = Path(__file__).with_name("server_templates")
SMOKE_TEST = "smoke_test"
RADIOGRAPH = "radiograph.png"
EXPECTED = "expected.json"

BATCH_SIZES = (1, 2, 4)
KEPT_VERSIONS = 3  # that the volume of kubernetes.yaml has room for
FLAGS = (
    "--model_config_file=/models/{name}/{folder}/models.config",
    "--monitoring_config_file=/models/{name}/{folder}/monitoring.config",
    "--enable_batching",
    "--batching_parameters_file=/models/{name}/{folder}/batching.config",
    "--rest_api_timeout_in_ms=60000",
)
XLA_FLAG = "--xla_cpu_compilation_enabled"  # else a server refuses what is to be compiled


def write(export: Path, image: bytes, answer: Answer, size_bytes: int, xla: bool) -> Path:
    """Write EXPORT/serving/, whole, in place of one of an earlier version.

    The smoke test asks for `image`, a PNG, and expects `answer`; `size_bytes` is that of a version.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    flags = [flag.format(name=layout.MODEL_NAME, folder=FOLDER) for flag in FLAGS]
    told = {
        "name": layout.MODEL_NAME,
        "image_version": metadata.version("tensorflow"),
        "flags": [*flags, XLA_FLAG] if xla else flags,
        "batch_sizes": BATCH_SIZES,
        "xla": xla,
        "storage_gib": math.ceil(KEPT_VERSIONS * size_bytes / 2**30),
    }
    folder = export / FOLDER
    with files.writing_folder(folder) as temporary:
        for template in sorted(TEMPLATES.iterdir()):
            text = environment.get_template(template.name).render(told)
            (temporary / template.name).write_text(text, encoding="utf-8")
        (temporary / SMOKE_TEST).chmod(0o755)
        (temporary / RADIOGRAPH).write_bytes(image)
        expected = dataclasses.asdict(answer)
        del expected["mask_png"]
        files.write_json(temporary / EXPECTED, expected)
    return folder
