"""This holds the way from a name to a model: the folder of an export."""

from pathlib import Path

from tfptx.serving.answers import Model


def open_model(where: str | Path) -> Model:
    """The model of an export's folder, loaded into this process.

    Raises ValueError where there is none.
    """
    from tfptx.serving import local_model  # noqa: PLC0415 - a client needs no TensorFlow graph

    return local_model.open_export(Path(where))
