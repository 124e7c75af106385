"""This holds the model behind TensorFlow Serving's gRPC interface.

https://github.com/tensorflow/serving/blob/master/tensorflow_serving/apis/prediction_service.proto
"""

import json
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfptx.serving import answers, client, layout
from tfptx.serving.address import Address
from tfptx.serving.answers import Answer, Model

DESCRIPTION = "signature_def"
# A request that is larger is not tried again, whatever the service config says.
LARGEST_RETRIED_BYTES = 2**28
TOO_LARGE = "larger than max"  # in gRPC's word of a message that the server's limit refuses


def open_grpc(address: Address) -> Model:
    """The model at a grpc address. Raises ValueError where it does not answer or is no export.

    With grpcs the server's certificate must be of an authority that gRPC knows, by its own roots or
    the file that GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names.
    """
    if address.scheme == "grpcs":
        secret = grpc.ssl_channel_credentials()
        channel = grpc.secure_channel(address.host, secret, options=_options())
    else:
        channel = grpc.insecure_channel(address.host, options=_options())
    service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    where = model_pb2.ModelSpec(name=address.name)
    if address.version is not None:
        where.version.value = address.version
    asked = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=where, metadata_field=[DESCRIPTION]
    )
    described = get_model_metadata_pb2.SignatureDefMap()
    _sent(service.GetModelMetadata, asked, address).metadata[DESCRIPTION].Unpack(described)
    outputs = {name: each.outputs for name, each in described.signature_def.items()}
    client.refuse_without_signature(outputs, address)
    where.signature_name = layout.MASKS

    def ask(image: bytes) -> Answer:
        request = predict_pb2.PredictRequest(model_spec=where)
        request.inputs[layout.INPUT].CopyFrom(tf.make_tensor_proto([image], tf.string))
        return _answer(_sent(service.Predict, request, address), address)

    return client.bounded(ask, address)


def _options() -> list[tuple[str, Any]]:
    retries = {
        "maxAttempts": client.TRIES,
        "initialBackoff": f"{client.FIRST_WAIT_SECONDS}s",
        "maxBackoff": f"{client.FIRST_WAIT_SECONDS * 2**client.TRIES}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
    }
    # https://github.com/grpc/proposal/blob/master/A6-client-retries.md; {} is every method.
    config = {"methodConfig": [{"name": [{}], "retryPolicy": retries}]}
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.max_send_message_length", -1),  # a radiograph may be larger than gRPC's 4 MiB
        ("grpc.max_receive_message_length", -1),
        ("grpc.per_rpc_retry_buffer_size", LARGEST_RETRIED_BYTES),
    ]


def _sent(method: Any, request: Any, address: Address) -> Any:
    """The reply. Raises RefusedError where asking again is of no use, else ValueError."""
    try:
        return method(request, timeout=address.timeout_seconds)
    except grpc.RpcError as error:
        code, reason = error.code(), " ".join(str(error.details()).split())
        if code is grpc.StatusCode.NOT_FOUND:
            raise client.no_model(address, reason) from error
        if code is grpc.StatusCode.INVALID_ARGUMENT or TOO_LARGE in reason:
            raise client.RefusedError(f"{address} refuses it: {reason}") from error
        raise client.no_answer(address, f"{code.name}, {reason}") from error


def _answer(reply: Any, address: Address) -> Answer:
    try:
        outputs = {name: tf.make_ndarray(values) for name, values in reply.outputs.items()}
        (answer,) = answers.of_outputs(outputs, 1)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{address} answers otherwise than an export of tfptx: {error}") from error
    return answer
