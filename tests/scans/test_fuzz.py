"""A few hundred damaged inputs of every kind; `tools/fuzz_records` tries any number."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tests.scans import fuzzing

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom", "ignore::RuntimeWarning")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = Path(os.environ.get("TFPTX_DATA", REPOSITORY.parent / "shared" / "data"))
    real_data = folder if (folder / "csv" / "train-rle.csv").is_file() else None
    return fuzzing.Sources(tmp_path_factory.mktemp("fuzz"), real_data)


@pytest.mark.parametrize("kind", fuzzing.KINDS)
def test_damaged_input_is_refused_or_read_right(sources, kind):
    @settings(max_examples=10 if kind == "build" else 60, deadline=None, derandomize=True)
    @given(st.integers(0, 2**32))
    def check(seed):
        fuzzing.KINDS[kind](sources, random.Random(seed))

    check()
