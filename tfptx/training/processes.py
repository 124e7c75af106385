"""This holds the processes of a fit: who writes, what all are told, and that all fit the same."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True)
class Processes:
    """The processes that fit together, `count` of them; this one is number `index`.

    All make the same calls of these methods in the same order, for each waits for all.
    """

    index: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.index == 0

    def told(self, content: Any) -> Any:
        """Give what the first process says: anything that JSON keeps."""
        if self.count == 1:
            return content
        text = json.dumps(content).encode() if self.is_first else b""
        length = int(_of_first(np.array(len(text), np.int32)))
        padded = np.frombuffer(text.ljust(length), np.uint8)
        return json.loads(_of_first(padded).tobytes())

    def by_first(self, do: Callable[[], Any]) -> Any:
        """Let the first process do something, and give what it returns, as JSON keeps it.

        Raises ValueError in every process where it raises that or OSError.
        """
        if self.count == 1:
            return do()
        result, error = None, ""
        if self.is_first:
            try:
                with _by_itself():
                    result = do()
            except (ValueError, OSError) as raised:
                error = str(raised)
        said = self.told({"result": result, "error": error})
        if said["error"]:
            raise ValueError(said["error"])
        return said["result"]

    def together(self, do: Callable[[], Any]) -> Any:
        """Do something in every process, and give what it returns here.

        Raises ValueError in all of them where it raises that or OSError in one, which tells why.
        """
        if self.count == 1:
            return do()
        result, error = None, ""
        try:
            result = do()
        except (ValueError, OSError) as raised:
            error = str(raised)
        has_failed = _of_each(np.array(bool(error)))
        if error:
            raise ValueError(error)
        if has_failed.any():
            raise ValueError(f"process {has_failed.argmax()} of this fit can't begin, and says why")
        return result

    def is_any(self, is_so: bool) -> bool:
        """Whether it is so in any process."""
        return is_so if self.count == 1 else bool(_of_each(np.array(is_so)).any())

    def agree(self, facts: Mapping[str, str]) -> None:
        """Raise ValueError in every process where one has other facts than the first."""
        if self.count == 1:
            return
        digests = [hashlib.sha256(fact.encode()).digest() for fact in facts.values()]
        everywhere = _of_each(np.frombuffer(b"".join(digests), np.uint8).reshape(len(facts), -1))
        for place, name in enumerate(facts):
            for index, others in enumerate(everywhere):
                if (others[place] != everywhere[0][place]).any():
                    raise ValueError(
                        f"process {index} has other {name} than process 0; give all processes "
                        "the same config, records, run folder and versions"
                    )


ALONE = Processes()


@contextlib.contextmanager
def _by_itself() -> Iterator[None]:
    """Let Keras make variables without comparing them with those of the other processes."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def _of_first(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    from jax.experimental import multihost_utils  # noqa: PLC0415 - not all have JAX

    return np.asarray(multihost_utils.broadcast_one_to_all(array))


def _of_each(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The arrays of all processes, stacked on a new first axis."""
    from jax.experimental import multihost_utils  # noqa: PLC0415 - not all have JAX

    return np.asarray(multihost_utils.process_allgather(array))
