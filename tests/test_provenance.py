import configparser
import re

from tests.conftest import REPOSITORY
from tfptx import provenance

# These carry, check or show what the others compute.
SHAPES_NO_RESULT = {
    "click",
    "h5py",
    "jinja2",
    "matplotlib",
    "pillow",
    "pydantic",
    "rich",
    "tensorboard",
    "tomli-w",
}


def test_every_package_that_shapes_a_result_is_named_with_its_version():
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    lines = config["options"]["install_requires"].split()
    installed = {re.match(r"[\w-]+", line)[0] for line in lines}
    assert set(provenance.PACKAGES) == (installed - SHAPES_NO_RESULT) | {"tfptx"}
    assert all(provenance.environment()["packages"].values())
