"""The demo's study at a size for tests."""

from tests.conftest import REPOSITORY
from tfptx import config


def small_study():
    """One epoch at 32 px and one at 64, both with a frozen encoder."""
    return config.read(
        REPOSITORY / "tfptx" / "studies" / "demo.toml",
        (
            "stage.1.size_px=32",
            "stage.1.epochs=1",
            "stage.2.size_px=64",
            "stage.2.epochs=1",
        ),
    )
