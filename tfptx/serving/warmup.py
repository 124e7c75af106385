"""This holds the requests that a server sends itself, so that the first one of a user is no slower.

https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import (
    classification_pb2,
    model_pb2,
    predict_pb2,
    prediction_log_pb2,
)

from tfptx.serving import graph_rule, layout

NAME = "assets.extra/tf_serving_warmup_requests"


def write(version: Path, radiograph: bytes, batch_sizes: Sequence[int]) -> None:
    """Write the requests for a radiograph, a PNG: of each signature one, of MASKS one of each size.

    All signatures share the networks' graph, so that what one has warmed is warm for all.
    """
    path = version / NAME
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in _logs(radiograph, batch_sizes):
            writer.write(log.SerializeToString())


def read(version: Path) -> list[prediction_log_pb2.PredictionLog]:
    """The requests of a version."""
    records = tf.data.TFRecordDataset(str(version / NAME))
    parse = prediction_log_pb2.PredictionLog.FromString
    return [parse(record) for record in records.as_numpy_iterator()]


def _logs(
    radiograph: bytes, batch_sizes: Sequence[int]
) -> Iterator[prediction_log_pb2.PredictionLog]:
    files = {layout.INPUT: tf.make_tensor_proto([radiograph], tf.string)}
    levels: NDArray[np.uint8] = np.asarray(
        cv2.imdecode(np.frombuffer(radiograph, np.uint8), cv2.IMREAD_GRAYSCALE)
    )
    images = tf.make_tensor_proto(levels[np.newaxis, ..., np.newaxis].astype(np.float32))
    for size in batch_sizes:
        batch = tf.make_tensor_proto([radiograph] * size, tf.string)
        yield _predict_log(layout.MASKS, {layout.INPUT: batch})
    yield _predict_log(layout.SIGNATURE, files)
    numbers = {
        name: tf.make_tensor_proto([graph_rule.EXPORTED], dtype)
        for name, dtype in graph_rule.DTYPES._asdict().items()
    }
    yield _predict_log(layout.WITH_POINT, files | numbers)
    yield _predict_log(layout.IMAGES, {layout.FLOAT_INPUT: images})
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[radiograph]))
    example = tf.train.Example(features=tf.train.Features(feature={layout.INPUT: feature}))
    asked = classification_pb2.ClassificationRequest(model_spec=_spec(layout.SCORE))
    asked.input.example_list.examples.append(example)
    yield prediction_log_pb2.PredictionLog(
        classify_log=prediction_log_pb2.ClassifyLog(request=asked)
    )


def _predict_log(signature: str, inputs: Mapping[str, Any]) -> prediction_log_pb2.PredictionLog:
    asked = predict_pb2.PredictRequest(model_spec=_spec(signature), inputs=inputs)
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=asked)
    )


def _spec(signature: str) -> model_pb2.ModelSpec:
    return model_pb2.ModelSpec(name=layout.MODEL_NAME, signature_name=signature)
