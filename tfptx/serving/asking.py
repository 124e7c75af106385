"""This holds the asking of a model: scans by batches, answers each with its file."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans import intake
from tfptx.scans.intake import File, Left
from tfptx.scans.radiograph import Take
from tfptx.scans.scan import Scan
from tfptx.serving import faults
from tfptx.serving.answers import Answer, Model

MAX_BATCH_PX = 100_000_000  # beside the largest image that is read no other is
MAX_BATCH_FILES = 256  # with those that are left out, which are held back by a scan before them


@dataclass(frozen=True)
class Answered:
    """A file, its scan or why it has none, and what the model says of the scan."""

    file: File
    content: Scan | Left
    answer: Answer | None = None


def read(take: Take, file: File) -> tuple[File, Scan | Left]:
    """A file, stamped before it is read, and its scan, or why it has none.

    Raises OSError where the storage fails.
    """
    stamped = dataclasses.replace(file, stamp=intake.stamp(file.path))
    return stamped, intake.read(stamped, take)


def ask(
    model: Model, contents: Iterable[tuple[File, Scan | Left]], batch_size: int
) -> Iterator[Answered]:
    """Give each file in turn with its answer; the scans among them are asked for by batches.

    Raises NoAnswerError where the model answers nothing; an image that it alone does not answer has
    an answer with the error.
    """
    batch: list[tuple[File, Scan | Left]] = []
    num_scans = num_px = 0
    for file, content in contents:
        content_px = content.rows * content.columns if isinstance(content, Scan) else 0
        if num_px and num_px + content_px > MAX_BATCH_PX:
            yield from _answered(model, batch)
            batch, num_scans, num_px = [], 0, 0
        batch.append((file, content))
        num_scans += isinstance(content, Scan)
        num_px += content_px
        if num_scans in {0, batch_size} or len(batch) == MAX_BATCH_FILES:
            yield from _answered(model, batch)
            batch, num_scans, num_px = [], 0, 0
    yield from _answered(model, batch)


def mask_of(answer: Answer, scan: Scan) -> NDArray[np.bool_]:
    """The mask of an answer, rows x columns of its scan.

    Raises ValueError where a model gives no such mask, or other numbers than the mask's.
    """
    encoded = np.frombuffer(answer.mask_png, np.uint8)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if len(encoded) else None
    if decoded is None or decoded.shape != (scan.rows, scan.columns):
        raise ValueError(f"the model gives no mask of {scan.rows} x {scan.columns} pixels")
    mask = np.asarray(decoded) > 0
    has_mask = bool(mask.any())
    if answer.pixel_count != np.count_nonzero(mask) or answer.decision != has_mask:
        raise ValueError("the model's pixel count or decision is not that of its mask")
    if not 0 <= answer.image_score <= 1:
        raise ValueError(f"the model's image score is {answer.image_score}, no probability")
    return mask


def _answered(model: Model, batch: Sequence[tuple[File, Scan | Left]]) -> Iterator[Answered]:
    images = [content.image for _, content in batch if isinstance(content, Scan)]
    answers = iter(faults.answers(model, images))
    for file, content in batch:
        answer = next(answers) if isinstance(content, Scan) else None
        yield Answered(file, content, answer)
