"""This holds the asking of a server: one image a request, several requests under way at once.

The server puts requests of many clients together to batches (`server_files`), so none is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tfptx.serving import layout
from tfptx.serving.address import Address
from tfptx.serving.answers import Answer, Model

TRIES = 5
FIRST_WAIT_SECONDS = 0.5  # before the second try; it doubles from then on


class RefusedError(ValueError):
    """A server's word that it can't answer this request, whoever asks again."""


def bounded(ask: Callable[[bytes], Answer], address: Address) -> Model:
    """A model that asks for each image apart, within the address's number of requests.

    An image that the server refuses, for which `ask` raises RefusedError, answers for itself.
    Anything else that `ask` raises ends the call.
    """
    pool = ThreadPoolExecutor(address.requests, thread_name_prefix="ask")

    def answer(image: bytes) -> Answer:
        try:
            return ask(image)
        except RefusedError as error:
            return Answer(b"", 0, False, 0.0, error=str(error))

    def answers(images: Sequence[bytes]) -> list[Answer]:
        return list(pool.map(answer, images))

    return answers


def refuse_without_signature(signatures: Mapping[str, Any], address: Address) -> None:
    """Raise ValueError where a model lacks the signature that is asked."""
    if layout.MASKS not in signatures:
        raise ValueError(
            f"the model at {address} has no signature {layout.MASKS}; serve an export of this "
            "version of tfptx"
        )


def no_answer(address: Address, reason: object) -> ValueError:
    """The error of a server that can't be reached or does not answer in time."""
    return ValueError(
        f"no answer from {address}: {reason}; see that the server runs and the model is loaded"
    )


def no_model(address: Address, reason: object) -> ValueError:
    """The error of a server that has no such model, or not yet."""
    return ValueError(
        f"no model at {address}: {reason}; see the server's models.config, or wait until it is "
        "loaded"
    )
