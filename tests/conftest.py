"""What every test may ask for."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real annotations and radiographs, which the project never ships."""
    folder = Path(os.environ.get("TFPTX_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "csv" / "train-rle.csv").is_file():
        pytest.skip(f"no real data at {folder}: name its folder in TFPTX_DATA")
    return folder
