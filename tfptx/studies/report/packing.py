"""This holds the packing of whole numbers into text for a page's script, exact and small."""

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

_BITS = 7  # of a number that a byte holds; its highest bit says that more follow
_LARGEST = 2**53 - 1  # of a script's number, which is a float64


def numbers(values: NDArray[np.integer]) -> str:
    """Pack whole numbers of at least 0, in C order; `unpackNumbers` of packing.js reads them.

    Each is a variable-length integer (LEB128: DWARF 5, section 7.6), all deflated as base64.
    Raises ValueError where one is negative or no float64 holds it.
    """
    flat = values.ravel()
    if flat.size and not 0 <= flat.min() <= flat.max() <= _LARGEST:
        raise ValueError(f"numbers from {flat.min()} to {flat.max()} can't be packed")
    flat = flat.astype(np.uint64)
    num_bytes = np.ones(flat.shape, np.int64)
    for place in range(1, -(-_LARGEST.bit_length() // _BITS)):
        num_bytes += flat >= np.uint64(1 << _BITS * place)
    starts = np.cumsum(num_bytes) - num_bytes
    packed = np.zeros(int(num_bytes.sum()), np.uint8)
    for place in range(int(num_bytes.max(initial=0))):
        is_there = num_bytes > place
        part = flat[is_there] >> np.uint64(_BITS * place) & np.uint64(2**_BITS - 1)
        more = (num_bytes[is_there] > place + 1).astype(np.uint8) << _BITS
        packed[starts[is_there] + place] = part.astype(np.uint8) | more
    return octets(packed.tobytes())


def octets(content: bytes) -> str:
    """Pack bytes; `unpackBytes` of packing.js reads them."""
    return base64.b64encode(zlib.compress(content, 9)).decode()
