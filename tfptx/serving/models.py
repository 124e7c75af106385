"""This holds the way from a name to a model: an export's folder, or a server's address."""

from pathlib import Path

from tfptx.serving import address
from tfptx.serving.answers import Model


def open_model(where: str | Path) -> Model:
    """The model of an export's folder, loaded into this process, or that behind an address.

    Raises ValueError where there is none.
    """
    if isinstance(where, Path) or not address.is_address(where):
        from tfptx.serving import local_model  # noqa: PLC0415 - REST needs no TensorFlow

        return local_model.open_export(Path(where))
    server = address.parse(where)
    if server.scheme == "grpc":
        from tfptx.serving import grpc_client  # noqa: PLC0415 - it imports TensorFlow's messages

        return grpc_client.open_grpc(server)
    from tfptx.serving import rest_client  # noqa: PLC0415 - only this needs requests

    return rest_client.open_rest(server)
