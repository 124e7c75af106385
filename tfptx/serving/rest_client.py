"""This holds the model behind TensorFlow Serving's REST interface.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import json
import time
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tfptx.serving import answers, client, layout
from tfptx.serving.address import Address
from tfptx.serving.answers import Answer, Model

# Too many requests, and a server or a proxy before it that can't answer now.
PASSING = (429, 502, 503, 504)
OF_THE_REQUEST = (400, 413, 422)
OK, NOT_FOUND = 200, 404
MOST_READ_BYTES = 2**16
SHORTEST_SECONDS = 0.001  # none is no timeout


class _PassingError(ValueError):
    """No answer, for a reason that may pass."""


def open_rest(address: Address) -> Model:
    """The model at an http address. Raises ValueError where it does not answer or is no export."""
    session = _session(address)
    version = "" if address.version is None else f"/versions/{address.version}"
    url = f"{address.scheme}://{address.host}/v1/models/{address.name}{version}"
    described = _sent(session, address, "GET", f"{url}/metadata")
    try:
        signatures = described["metadata"]["signature_def"]["signature_def"]
        outputs = {name: each.get("outputs", {}) for name, each in signatures.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"what answers at {address} is no TensorFlow Serving") from error
    client.refuse_without_signature(outputs, address)

    def ask(image: bytes) -> Answer:
        encoded = base64.b64encode(image).decode("ascii")
        content = {
            "signature_name": layout.MASKS,
            "instances": [{layout.INPUT: {"b64": encoded}}],
        }
        return _answer(_sent(session, address, "POST", f"{url}:predict", content), address)

    return client.bounded(ask, address)


def _session(address: Address) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=address.requests)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _sent(
    session: requests.Session, address: Address, method: str, url: str, content: Any = None
) -> Any:
    """The JSON of a reply, asked for again where that may help and the address's time allows it.

    Raises RefusedError where asking again is of no use, else ValueError.
    """
    until = time.monotonic() + address.timeout_seconds
    wait_seconds, num_left = client.FIRST_WAIT_SECONDS, client.TRIES
    while True:
        try:
            return _asked(session, address, method, url, content, until)
        except _PassingError:
            num_left -= 1
            # A prediction changes nothing, so it may be asked for twice.
            if num_left == 0 or time.monotonic() + wait_seconds >= until:
                raise
        time.sleep(wait_seconds)
        wait_seconds *= 2


def _asked(
    session: requests.Session,
    address: Address,
    method: str,
    url: str,
    content: Any,
    until: float,
) -> Any:
    left_seconds = max(round(until - time.monotonic(), 3), SHORTEST_SECONDS)
    try:
        # Who redirects may name another host, which is not to have the radiograph.
        with session.request(
            method, url, json=content, timeout=left_seconds, allow_redirects=False, stream=True
        ) as reply:
            said = _json(_body(reply, until))
    except (requests.ConnectionError, urllib3.exceptions.ProtocolError) as error:
        raise _PassingError(str(client.no_answer(address, _cause(error)))) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise client.no_answer(address, _cause(error)) from error
    if reply.status_code == OK and said is not None:
        return said
    reason = said["error"] if isinstance(said, dict) and "error" in said else reply.reason
    reason = f"{reply.status_code} {' '.join(str(reason).split())}"
    if reply.status_code == NOT_FOUND:
        raise client.no_model(address, reason)
    if reply.status_code in OF_THE_REQUEST:
        raise client.RefusedError(f"{address} refuses it: {reason}")
    if reply.status_code in PASSING:
        raise _PassingError(str(client.no_answer(address, reason)))
    raise client.no_answer(address, reason)


def _body(reply: requests.Response, until: float) -> bytes:
    """What a reply holds. Raises TimeoutError where it is not whole in time."""
    parts = []
    # The timeout of a request is that of each read, and a server may write byte by byte.
    while part := reply.raw.read1(MOST_READ_BYTES, decode_content=True):
        parts.append(part)
        if time.monotonic() > until:
            raise TimeoutError("its reply was not whole in time")
    return b"".join(parts)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _answer(said: Any, address: Address) -> Answer:
    try:
        (outputs,) = said["predictions"]
        png = base64.b64decode(outputs["mask_png_bytes"]["b64"], validate=True)
        texts = {name: outputs[name].encode() for name in ("error", layout.FINGERPRINT)}
        told = {**outputs, **texts, "mask_png_bytes": png}
        (answer,) = answers.of_outputs({name: [value] for name, value in told.items()}, 1)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{address} answers otherwise than an export of tfptx: {error}") from error
    return answer


def _cause(error: BaseException) -> str:
    """The words of the first error of a chain: those of the later ones repeat it at length."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return str(reason or error).rpartition(": ")[2]
