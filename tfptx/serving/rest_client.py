"""This holds the model behind TensorFlow Serving's REST interface.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tfptx.serving import answers, client, layout
from tfptx.serving.address import Address
from tfptx.serving.answers import Answer, Model

# Too many requests, and a server or a proxy before it that can't answer now.
PASSING = (429, 502, 503, 504)
OF_THE_REQUEST = (400, 413, 422)
NOT_FOUND = 404


def open_rest(address: Address) -> Model:
    """The model at an http address. Raises ValueError where it does not answer or is no export."""
    session = _session(address)
    version = "" if address.version is None else f"/versions/{address.version}"
    url = f"{address.scheme}://{address.host}/v1/models/{address.name}{version}"
    described = _sent(session, address, "GET", f"{url}/metadata")
    try:
        signatures = described["metadata"]["signature_def"]["signature_def"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"what answers at {address} is no TensorFlow Serving") from error
    client.refuse_without_signature(signatures, address)

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
    retries = Retry(
        client.TRIES - 1,
        backoff_factor=client.FIRST_WAIT_SECONDS,
        backoff_jitter=client.FIRST_WAIT_SECONDS,
        status_forcelist=PASSING,
        allowed_methods=None,  # a prediction changes nothing, so POST may be tried again too
        raise_on_status=False,
    )
    adapter = HTTPAdapter(pool_maxsize=address.requests, max_retries=retries)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _sent(
    session: requests.Session, address: Address, method: str, url: str, content: Any = None
) -> Any:
    """The JSON of a reply.

    Raises RefusedError where asking again is of no use, else ValueError.
    """
    try:
        reply = session.request(method, url, json=content, timeout=address.timeout_seconds)
    except requests.RequestException as error:
        raise client.no_answer(address, _cause(error)) from error
    try:
        said = reply.json()
    except requests.JSONDecodeError:
        said = None
    if reply.ok and said is not None:
        return said
    reason = said["error"] if isinstance(said, dict) and "error" in said else reply.reason
    reason = f"{reply.status_code} {' '.join(str(reason).split())}"
    if reply.status_code == NOT_FOUND:
        raise client.no_model(address, reason)
    if reply.status_code in OF_THE_REQUEST:
        raise client.RefusedError(f"{address} refuses it: {reason}")
    raise client.no_answer(address, reason)


def _answer(said: Any, address: Address) -> Answer:
    try:
        (outputs,) = said["predictions"]
        png = base64.b64decode(outputs["mask_png_bytes"]["b64"], validate=True)
        told = {**outputs, "mask_png_bytes": png, "error": outputs["error"].encode()}
        (answer,) = answers.of_outputs({name: [value] for name, value in told.items()}, 1)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{address} answers otherwise than an export of tfptx: {error}") from error
    return answer


def _cause(error: BaseException) -> str:
    """The words of the first error of a chain: those of the later ones repeat it at length."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return str(reason or error).rpartition(": ")[2]
