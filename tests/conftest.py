"""What every test may ask for."""

import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A script's shell ignores Ctrl-C for what it runs in the background, and so would all that is
# started here, also what a test means to end by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real annotations and radiographs, which the project never ships."""
    folder = Path(os.environ.get("TFPTX_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "csv" / "train-rle.csv").is_file():
        pytest.skip(f"no real data at {folder}: name its folder in TFPTX_DATA")
    return folder
