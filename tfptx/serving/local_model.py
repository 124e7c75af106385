"""This holds the export that is loaded into this process."""

from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from tfptx.serving import answers, layout
from tfptx.serving.answers import Answer, Model

Served = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def open_export(export: Path) -> Model:
    """The latest version of an export, or the one named, as a model.

    Raises ValueError where there is none, another SavedModel or a damaged one.
    """
    serve = load(layout.find(export))

    def answer(images: Sequence[bytes]) -> list[Answer]:
        outputs = serve(tf.constant(list(images), tf.string))
        return answers.of_outputs({k: v.numpy() for k, v in outputs.items()}, len(images))

    return answer


def load(version: Path) -> Served:
    """The function of an export that takes encoded images and gives masks, by TensorFlow alone.

    Raises ValueError where the folder holds another SavedModel or a damaged one.
    """
    try:
        model = tf.saved_model.load(str(version))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ValueError(f"{version} is damaged; export it anew: {error}") from error
    masks = model.signatures.get(layout.MASKS)
    if masks is None or layout.FINGERPRINT not in masks.structured_outputs:
        raise ValueError(
            f"{version} is no export of this version of tfptx: it has no signature {layout.MASKS} "
            "with fingerprints; export it anew"
        )

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        # Asked of the model at each call: a signature alone would not keep its variables alive.
        return dict(model.signatures[layout.MASKS](image_bytes))

    return serve
