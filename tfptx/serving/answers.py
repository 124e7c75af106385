"""This holds what a model answers of an image, be it loaded here or behind a server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfptx.serving import layout


@dataclass(frozen=True)
class Answer:
    """What a model says of one encoded image; where it has an `error` nothing else counts.

    `mask_png` is a PNG of 0 and 255 in the image's own size and `pixel_count` its pixels,
    `image_score` the largest probability. `presence` is None where the networks lack that head.
    `fingerprint` is that of the export which answers.
    """

    mask_png: bytes
    pixel_count: int
    decision: bool
    image_score: float
    presence: float | None = None
    error: str = ""
    fingerprint: str = ""


# Takes JPEG and PNG files, none too, and gives an answer for each. Several threads may call it.
# Raises ValueError where no answer can be had at all.
Model = Callable[[Sequence[bytes]], list[Answer]]


def of_outputs(outputs: Mapping[str, Sequence[Any]], count: int) -> list[Answer]:
    """The answers of `count` images from a signature's outputs by name, bytes and numbers."""
    return [
        Answer(
            outputs["mask_png_bytes"][i],
            int(outputs["pixel_count"][i]),
            bool(outputs["decision"][i]),
            float(outputs["image_score"][i]),
            float(outputs["presence"][i]) if "presence" in outputs else None,
            outputs["error"][i].decode(),
            outputs[layout.FINGERPRINT][i].decode(),
        )
        for i in range(count)
    ]
