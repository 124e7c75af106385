"""This holds the layout of an export: EXPORT/<version>/, numbered as TensorFlow Serving wants.

It imports nothing, so that who only reads an export needs no Keras.
"""

from pathlib import Path

MODEL_NAME = "tfptx"  # what the server's files call it
SAVED_MODEL = "saved_model.pb"
POINT = "operating_point.json"
CARD = "model_card.md"
INPUT = "image_bytes"
FLOAT_INPUT = "images"
EXAMPLE_INPUT = "inputs"  # TensorFlow Serving's name for what is to be classified
FINGERPRINT = "fingerprint"  # the output that tells which export answers
FINDING = "pneumothorax"  # the one class of SCORE

# The signatures; `served_model.build` says what each takes and gives.
SIGNATURE = "serving_default"
MASKS = "masks"
WITH_POINT = "with_point"
IMAGES = "images"
SCORE = "score"
SIGNATURES = (SIGNATURE, MASKS, WITH_POINT, IMAGES, SCORE)


def following(export: Path) -> Path:
    """The folder of the next version, 1 for the first."""
    return export / str(max(_numbers(export), default=0) + 1)


def find(export: Path) -> Path:
    """The latest version in an export, or the folder itself where it is a version.

    Raises ValueError where there is none.
    """
    numbers = _numbers(export)
    version = export / str(max(numbers)) if numbers else export
    if not (version / SAVED_MODEL).is_file():
        raise ValueError(
            f"no export at {export}: neither it nor a numbered folder in it holds {SAVED_MODEL}; "
            "make it with tfptx export"
        )
    return version


def _numbers(export: Path) -> list[int]:
    names = (path.name for path in export.iterdir()) if export.is_dir() else ()
    return [int(name) for name in names if name.isdecimal()]
