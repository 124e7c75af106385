"""This holds the asking of a server: one image a request, several requests under way at once.

The server puts requests of many clients together to batches (`server_files`), so none is sent.
"""

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future

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
    free = threading.Semaphore(address.requests)

    def answer(image: bytes, answered: Future[Answer]) -> None:
        try:
            answered.set_result(ask(image))
        except RefusedError as error:
            answered.set_result(Answer(b"", 0, False, 0.0, error=str(error)))
        except BaseException as error:  # it belongs to whoever waits for the answer
            answered.set_exception(error)
        finally:
            free.release()

    def answers(images: Sequence[bytes]) -> list[Answer]:
        asked: list[Future[Answer]] = []
        for image in images:
            free.acquire()
            asked.append(Future())
            # A pool's threads would hold the process, when it is to end, until they are answered.
            threading.Thread(target=answer, args=(image, asked[-1]), daemon=True).start()
            for each in asked:
                if each.done():
                    each.result()  # raises what ends the call
        return [each.result() for each in asked]

    return answers


def refuse_without_signature(outputs: Mapping[str, Container[str]], address: Address) -> None:
    """Raise ValueError where a model's `outputs` by signature are not those of an export of now."""
    if layout.FINGERPRINT not in outputs.get(layout.MASKS, ()):
        raise ValueError(
            f"the model at {address} has no signature {layout.MASKS} with fingerprints; serve an "
            "export of this version of tfptx"
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
