"""This holds the trial of an export that was just written: what it answers, how fast, how large."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from tfptx.serving import local_model
from tfptx.serving.answers import Answer

NUM_REQUESTS = 3  # after the first one


@dataclass(frozen=True)
class Trial:
    """An export's answer of one radiograph, the seconds it took and the bytes on disk."""

    answer: Answer
    first_seconds: float
    later_seconds: float
    size_bytes: int


def run(version: Path, image: bytes) -> Trial:
    """Load an export and ask for an image, first anew and then again; the median counts.

    Raises ValueError where it gives no answer.
    """
    model = local_model.open_export(version)
    times_seconds = []
    for _ in range(1 + NUM_REQUESTS):
        began = time.perf_counter()
        (answer,) = model([image])
        times_seconds.append(time.perf_counter() - began)
    if answer.error:
        raise ValueError(f"{version} does not answer as it should: {answer.error}")
    return Trial(
        answer,
        times_seconds[0],
        statistics.median(times_seconds[1:]),
        sum(path.stat().st_size for path in version.rglob("*") if path.is_file()),
    )
