"""A load of requests from several clients at once, every answer compared with the known one."""

import dataclasses
import itertools
import random
import threading
import time
from dataclasses import dataclass, field

import cv2
import numpy as np

from tfptx.serving import models

NUM_SIZES = 12


@dataclass
class Outcome:
    """Seconds of each request, and what went otherwise than it should."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def percentile(self, percent):
        return float(np.percentile(self.seconds, percent))


def images(side_px, seed=0):
    """Radiograph-like images of several sizes, as PNG and JPEG, and some that can't be read."""
    draw = np.random.default_rng(seed)
    found = []
    for at in range(NUM_SIZES):
        rows, columns = (int(each) for each in draw.integers(side_px // 2, side_px + 1, 2))
        coarse = draw.integers(0, 256, (6, 6), np.uint8)
        image = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
        suffix = (".png", ".jpg")[at % 2]
        found.append(cv2.imencode(suffix, image)[1].tobytes())
    png, jpeg = found[:2]
    # Cut, none at all, no image, and a PNG of a hundred megapixels by its header.
    claims = png[:16] + (10_000).to_bytes(4, "big") * 2 + png[24:]
    return [*found, png[:-30], jpeg[: len(jpeg) // 2], b"", b"no image", claims]


def run(where, contents, expected, num_clients, num_seconds):
    """Ask for images drawn at random, from several clients, until the time is up."""
    outcome, lock = Outcome(), threading.Lock()
    until = time.monotonic() + num_seconds

    def ask(number):
        draw, model = random.Random(number), models.open_model(where)
        for _ in itertools.takewhile(lambda _: time.monotonic() < until, itertools.count()):
            at = draw.randrange(len(contents))
            begun = time.perf_counter()
            try:
                (answer,) = model([contents[at]])
            except ValueError as error:
                with lock:
                    outcome.failed.append(str(error))
                continue
            seconds = time.perf_counter() - begun
            with lock:
                outcome.seconds.append(seconds)
                if not is_same(answer, expected[at]):
                    outcome.wrong.append(f"image {at}: {dataclasses.replace(answer, mask_png=b'')}")

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(num_clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return outcome


def is_same(answer, expected):
    """Whether two answers are one, their scores to the digits that JSON keeps."""
    scores = [answer.image_score, expected.image_score]
    without = [dataclasses.replace(each, image_score=0.0) for each in (answer, expected)]
    return without[0] == without[1] and bool(np.isclose(*scores, rtol=1e-6, atol=1e-7))
