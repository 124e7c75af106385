"""This holds the served graph: one set of weights, and a function for each signature."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfptx.inference import ensemble
from tfptx.operating_point.rule import Rule
from tfptx.serving import graph_rule, layout
from tfptx.serving import image_bytes as images_in
from tfptx.serving.graph_rule import Decided, Numbers
from tfptx.serving.image_bytes import Decoded

Outputs = dict[str, tf.Tensor]

NO_SCORE = -1.0  # of an image without an answer; NaN would be no JSON
NO_EXAMPLE = f"no tf.Example with one {layout.INPUT}"
NOT_FINITE = "the network's probabilities are not finite"


def build(
    networks: Sequence[keras.Model],
    rule: Rule,
    size_px: int,
    flip: bool,
    fingerprint: str,
    is_fused: bool = False,
    xla: bool = False,
) -> tuple[tf.Module, dict[str, tf.types.experimental.PolymorphicFunction]]:
    """A module that holds the variables, and its functions by the signatures' names in `layout`.

    With N images, 0 included, S = `size_px`, they give:
    - `mask_png_bytes`, string N: the mask as a PNG of 0 and 255 in the image's own size;
    - `probability`, float32 N x S x S x 1, the mean of the networks and flips, and of the signed
      distance where `is_fused`; MASKS leaves it out, so that its answers are small;
    - `presence`, float32 N, where the networks have that head: the probability of any mask;
    - `pixel_count`, int32 N: the pixels of the mask; `decision`, bool N: whether there are any;
    - `image_score`, float32 N: the largest probability of the map in the image's own size;
    - `error`, string N: empty, or why this image has no answer. It then has an empty mask of no
      bytes, and zeros;
    - `fingerprint`, string N: that of the export, so that answers of another one can be told.

    SIGNATURE and MASKS take `image_bytes`, string N: JPEG or PNG files of any sizes. WITH_POINT
    takes the rule's numbers too, N of each or one for all, -1 for the exported one. IMAGES takes
    `images`, float32 N x H x W x 1 in [0, 255], rounded to whole grey levels, and gives `mask`,
    uint8 N x H x W x 1, too. SCORE is TensorFlow Serving's classification: `inputs`, string N,
    serialised tf.Example with the file as `image_bytes`; `classes`, string N x 1, is FINDING or the
    error, and `scores`, float32 N x 1, the image's score or -1.

    Maps and rule are those of `predict_maps` and `rule`, bit for bit in batches of a like size. At
    another one TensorFlow may choose other kernels: SE-ResNeXt-50's maps at batch 1 and 4 fell on
    two sides of a threshold at 6 of 8 million pixels. `xla` compiles the networks, which rounds
    otherwise too.
    """
    module = tf.Module()
    # A Keras model tracked here would be saved with a second set of variables, of which the C++
    # loaders find but one; so only TensorFlow's own variables are.
    module.weights = [variable.value for network in networks for variable in network.variables]
    module.numbers = graph_rule.variables(rule)

    def predictions(images: tf.Tensor) -> Outputs:
        return ensemble.predictions(networks, images, flip, is_fused)

    square = tf.TensorSpec([None, size_px, size_px, 1], tf.float32)
    # A function of its own, so that all signatures share one graph of the networks.
    shared = tf.function(
        predictions, input_signature=[square], autograph=False, jit_compile=xla or None
    )
    signatures = _Signatures(shared, module.numbers, size_px, fingerprint)
    files = tf.TensorSpec([None], tf.string, layout.INPUT)
    floats = tf.TensorSpec([None, None, None, 1], tf.float32, layout.FLOAT_INPUT)
    examples = tf.TensorSpec([None], tf.string, layout.EXAMPLE_INPUT)
    numbers = [
        tf.TensorSpec([None], dtype, name) for name, dtype in graph_rule.DTYPES._asdict().items()
    ]
    return module, {
        name: tf.function(function, input_signature=specs, autograph=False)
        for name, function, specs in (
            (layout.SIGNATURE, signatures.everything, [files]),
            (layout.MASKS, signatures.masks, [files]),
            (layout.WITH_POINT, signatures.with_point(), [files, *numbers]),
            (layout.IMAGES, signatures.images, [floats]),
            (layout.SCORE, signatures.score, [examples]),
        )
    }


def save(
    module: tf.Module,
    signatures: dict[str, tf.types.experimental.PolymorphicFunction],
    folder: Path,
) -> None:
    """Write what `build` gives as a SavedModel, SCORE as a classification."""
    tf.saved_model.save(module, str(folder), signatures)
    # TensorFlow 2 calls every signature a prediction, which a server does not classify by.
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    updater.replace_method_name(
        layout.SCORE, tf.saved_model.CLASSIFY_METHOD_NAME, [tf.saved_model.SERVING]
    )
    updater.save()


class _Signatures:
    """The functions that `build` describes, over the networks' predictions, S x S, of a batch."""

    def __init__(
        self,
        predictions: Callable[[tf.Tensor], Outputs],
        numbers: Numbers,
        size_px: int,
        fingerprint: str,
    ) -> None:
        self._predictions = predictions
        self._numbers = numbers
        self._size_px = size_px
        self._fingerprint = fingerprint

    def everything(self, image_bytes: tf.Tensor) -> Outputs:
        return self._answer(images_in.decode_batch(image_bytes, self._size_px))

    def masks(self, image_bytes: tf.Tensor) -> Outputs:
        outputs = self.everything(image_bytes)
        del outputs["probability"]
        return outputs

    def with_point(self) -> Callable[..., Outputs]:
        # TensorFlow writes defaults into a signature where they are tensors, and none at import.
        real, whole = (tf.constant([graph_rule.EXPORTED], of) for of in (tf.float32, tf.int64))

        def with_point(
            image_bytes: tf.Tensor,
            top_threshold: tf.Tensor = real,
            area_px: tf.Tensor = whole,
            bottom_threshold: tf.Tensor = real,
            min_presence: tf.Tensor = real,
            size_px: tf.Tensor = whole,
        ) -> Outputs:
            asked = Numbers(top_threshold, area_px, bottom_threshold, min_presence, size_px)
            return self._answer(images_in.decode_batch(image_bytes, self._size_px), asked)

        return with_point

    def images(self, images: tf.Tensor) -> Outputs:
        outputs = self._answer(images_in.of_floats(images, self._size_px))
        _, rows, columns, _ = tf.unstack(tf.shape(images, tf.int64))
        whole = graph_rule.at_source(outputs["probability"], rows, columns)
        return outputs | {"mask": graph_rule.masks(whole, outputs["decision"], self._numbers)}

    def score(self, inputs: tf.Tensor) -> Outputs:
        files = images_in.of_examples(inputs)
        decoded = images_in.decode_batch(files, self._size_px)
        said, errors = self._said(decoded)
        errors = tf.where(tf.equal(files, ""), NO_EXAMPLE, errors)

        def largest(parts: tuple[tf.Tensor, ...]) -> tf.Tensor:
            probability, rows, columns, error = parts
            return tf.cond(
                error == "",
                lambda: tf.reduce_max(graph_rule.at_source(probability[tf.newaxis], rows, columns)),
                lambda: tf.constant(NO_SCORE),
            )

        scores = tf.map_fn(
            largest,
            (said["probability"], decoded.rows, decoded.columns, errors),
            fn_output_signature=tf.float32,
        )
        classes = tf.where(errors == "", layout.FINDING, "error: " + errors)
        return {"classes": classes[:, tf.newaxis], "scores": scores[:, tf.newaxis]}

    def _answer(self, decoded: Decoded, asked: Numbers | None = None) -> Outputs:
        said, errors = self._said(decoded)
        presences = said.get("presence")
        numbers = graph_rule.for_each(asked or self._numbers, self._numbers, tf.size(errors))
        if asked is not None:
            wrong = graph_rule.errors(numbers, presences is not None)
            errors = tf.where(errors == "", wrong, errors)
        is_well = errors == ""
        if presences is None:
            presences = tf.ones_like(is_well, tf.float32)

        def decide(parts: tuple[tf.Tensor, ...]) -> Decided:
            is_answered, probability, presence, rows, columns, *of_rule = parts
            decided: Decided = tf.cond(
                is_answered,
                lambda: graph_rule.decide(probability, presence, rows, columns, Numbers(*of_rule)),
                graph_rule.nothing,
            )
            return decided

        parts = is_well, said["probability"], presences, decoded.rows, decoded.columns, *numbers
        decided = tf.map_fn(decide, parts, fn_output_signature=graph_rule.OUTPUTS)
        return {
            "mask_png_bytes": decided.png,
            **{name: _where(is_well, values) for name, values in said.items()},
            "pixel_count": decided.pixel_count,
            "decision": decided.pixel_count > 0,
            "image_score": decided.largest,
            "error": errors,
            layout.FINGERPRINT: tf.fill([tf.size(errors)], self._fingerprint),
        }

    def _said(self, decoded: Decoded) -> tuple[Outputs, tf.Tensor]:
        """What the networks say of each image, zeros of one that has an error, and the errors.

        Numbers that are not finite would pass no threshold, and so be taken for no finding.
        """
        images, size = decoded.images, tf.size(decoded.errors)
        # No network takes a batch of none, so that one is given an image which is cut off again.
        num_added = tf.cast(tf.equal(size, 0), tf.int32)
        padding = tf.zeros([num_added, self._size_px, self._size_px, 1])
        said = self._predictions(tf.concat([images, padding], 0))
        said = {name: values[:size] for name, values in said.items()}
        errors = decoded.errors
        for values in said.values():
            is_finite = tf.math.is_finite(values)
            is_finite = tf.reduce_all(is_finite, axis=list(range(1, values.shape.rank)))
            errors = tf.where((errors == "") & ~is_finite, NOT_FINITE, errors)
        return {name: _where(errors == "", values) for name, values in said.items()}, errors


def _where(is_well: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    wide = tf.reshape(is_well, [-1] + [1] * (values.shape.rank - 1))
    return tf.where(wide, values, 0.0)
