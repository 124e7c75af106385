import configparser
import re

from tests.conftest import REPOSITORY
from tfptx import provenance

# These carry, check or show what the others compute.
SHAPES_NO_RESULT = {
    "click",
    "grpcio",
    "h5py",
    "jinja2",
    "matplotlib",
    "pillow",
    "pydantic",
    "requests",
    "rich",
    "tensorboard",
    "tensorflow-serving-api",
    "tomli-w",
    "urllib3",
}
OF_EXTRAS = {"highdicom", "jax"}


def test_every_package_that_shapes_a_result_is_named_with_its_version():
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    lines = config["options"]["install_requires"].split()
    installed = {re.match(r"[\w-]+", line)[0] for line in lines}
    assert set(provenance.PACKAGES) == (installed - SHAPES_NO_RESULT) | {"tfptx"} | OF_EXTRAS
    found = provenance.environment()["packages"]
    assert all(version for name, version in found.items() if name not in OF_EXTRAS)
