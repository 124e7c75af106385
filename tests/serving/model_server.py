"""A server of TensorFlow Serving's two interfaces on loopback: a stand-in, not that server.

The model runs in TensorFlow's C++ loader; messages are those of tensorflow-serving-api, and HTTP
and gRPC are spoken by Werkzeug and grpcio.
"""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.serving.c_saved_model import CSavedModel

LATEST = 1
GRPC_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}


class FailedError(Exception):
    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


class Served:
    """A model by its name, the answers it was asked for, and the faults it is to show first."""

    def __init__(self, model, name="tfptx"):
        self.model = model
        self.name = name
        self.faults = []  # statuses of the next predictions
        self.delay_seconds = 0.0
        self.num_asked = 0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def check(self, name, version):
        if name != self.name or version not in {None, LATEST}:
            raise FailedError(404, f"Servable not found for request: Specific({name}, {version})")

    def predict(self, name, version, signature, inputs):
        with self._counted():
            self.check(name, version)
            with self._lock:
                fault = self.faults.pop(0) if self.faults else None
            if fault:
                raise FailedError(fault, "it was told to fail")
            time.sleep(self.delay_seconds)
            if signature not in self.model.signatures:
                raise FailedError(400, f'Serving signature name: "{signature}" not found')
            described = self.model.signatures[signature]
            defaults = {key: tf.make_ndarray(each) for key, each in described.defaults.items()}
            inputs = {**defaults, **inputs}
            if set(inputs) != set(described.inputs):
                raise FailedError(400, "input keys differ from the signature's")
            try:
                return self.model.run(signature, inputs)
            except RuntimeError as error:
                raise FailedError(400, str(error)) from error

    @contextmanager
    def _counted(self):
        with self._lock:
            self.num_asked += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


class Grpc(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, served):
        self.served = served

    def Predict(self, request, context):
        with _told_by_grpc(context):
            spec = request.model_spec
            inputs = {name: _values(tf.make_ndarray(each)) for name, each in request.inputs.items()}
            signature = spec.signature_name or "serving_default"
            outputs = self.served.predict(spec.name, _version(spec), signature, inputs)
            reply = predict_pb2.PredictResponse(model_spec=spec)
            for name, values in outputs.items():
                reply.outputs[name].CopyFrom(tf.make_tensor_proto(values))
            return reply

    def Classify(self, request, context):
        with _told_by_grpc(context):
            spec = request.model_spec
            definition = self.served.model.signatures[spec.signature_name]
            if definition.method_name != "tensorflow/serving/classify":
                raise FailedError(400, f"Expected classify signature, got {definition.method_name}")
            examples = request.input.example_list.examples
            inputs = {"inputs": [each.SerializeToString() for each in examples]}
            outputs = self.served.predict(spec.name, _version(spec), spec.signature_name, inputs)
            reply = classification_pb2.ClassificationResponse(model_spec=spec)
            for labels, scores in zip(outputs["classes"], outputs["scores"], strict=True):
                classes = reply.result.classifications.add().classes
                for label, score in zip(labels, scores, strict=True):
                    classes.add(label=label, score=score)
            return reply

    def GetModelMetadata(self, request, context):
        with _told_by_grpc(context):
            spec = request.model_spec
            self.served.check(spec.name, _version(spec))
            found = get_model_metadata_pb2.SignatureDefMap(
                signature_def=self.served.model.signatures
            )
            reply = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=spec)
            reply.metadata["signature_def"].Pack(found)
            return reply


class Http:
    """The WSGI application of /v1/models/<name>[/versions/<version>][/metadata|:predict]."""

    def __init__(self, served):
        self.served = served

    @Request.application
    def __call__(self, request):
        try:
            return _json(self._answer(request))
        except FailedError as error:
            return _json({"error": str(error)}, error.status)

    def _answer(self, request):
        path, _, verb = request.path.removeprefix("/v1/models/").partition(":")
        name, *rest = path.split("/")
        version = int(rest[1]) if rest[:1] == ["versions"] else None
        if verb == "predict":
            return self._predict(name, version, json.loads(request.get_data()))
        self.served.check(name, version)
        if rest[-1:] == ["metadata"]:
            found = get_model_metadata_pb2.SignatureDefMap(
                signature_def=self.served.model.signatures
            )
            described = MessageToDict(found, preserving_proto_field_name=True)
            return {"model_spec": {"name": name}, "metadata": {"signature_def": described}}
        status = {"error_code": "OK", "error_message": ""}
        states = [{"version": str(LATEST), "state": "AVAILABLE", "status": status}]
        return {"model_version_status": states}

    def _predict(self, name, version, asked):
        signature = asked.get("signature_name", "serving_default")
        if signature not in self.served.model.signatures:
            raise FailedError(400, f'Serving signature name: "{signature}" not found')
        described = self.served.model.signatures[signature].inputs
        rows, inputs = asked["instances"], {}
        for key in rows[0]:
            values = [_plain(row[key]) for row in rows]
            kind = tf.as_dtype(described[key].dtype)
            inputs[key] = values if kind is tf.string else np.array(values, kind.as_numpy_dtype)
        outputs = self.served.predict(name, version, signature, inputs)
        rows = zip(*outputs.values(), strict=True)
        return {
            "predictions": [
                {key: _encoded(key, each) for key, each in zip(outputs, row, strict=True)}
                for row in rows
            ]
        }


@contextmanager
def running(version_folder, name="tfptx"):
    """Serve a version of an export; yield what is served, and the ports of REST and gRPC."""
    served = Served(CSavedModel(version_folder), name)
    remote = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Grpc(served), remote)
    grpc_port = remote.add_insecure_port("127.0.0.1:0")
    remote.start()
    web = make_server("127.0.0.1", 0, Http(served), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        yield served, web.server_port, grpc_port
    finally:
        web.shutdown()
        thread.join()
        web.server_close()
        remote.stop(None).wait()


class Quiet(WSGIRequestHandler):
    def log(self, *arguments, **named):
        """Say nothing of each request."""


@contextmanager
def _told_by_grpc(context):
    try:
        yield
    except FailedError as error:
        context.abort(GRPC_CODES[error.status], str(error))


def _version(spec):
    return spec.version.value if spec.HasField("version") else None


def _values(array):
    return [*array] if array.dtype == object else array


def _plain(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _encoded(name, value):
    if isinstance(value, bytes):
        if name.endswith("_bytes"):
            return {"b64": base64.b64encode(value).decode()}
        return value.decode()
    return value.tolist()


def _json(content, status=200):
    return Response(json.dumps(content), status, content_type="application/json")
