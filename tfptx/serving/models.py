"""This holds the way from a name to a model: an export's folder, or a server's address."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx.serving import address, faults, model_identity, probe
from tfptx.serving.answers import Answer, Model
from tfptx.serving.faults import OtherModelError
from tfptx.serving.model_identity import ModelIdentity


@dataclass(frozen=True)
class Identified:
    """A model and its identity. Asked after it was replaced it raises OtherModelError."""

    identity: ModelIdentity
    model: Model


def identify(where: str | Path) -> Identified:
    """Open a model and ask it for a generated radiograph, whose answer tells which one it is.

    Raises ValueError where there is none, NoAnswerError where it does not answer.
    """
    model = open_model(where)
    (answer,) = faults.answers(model, [probe.radiograph()])
    identity = model_identity.of(where, answer.fingerprint)

    def only(images: Sequence[bytes]) -> list[Answer]:
        found = model(images)
        if any(each.fingerprint != identity.fingerprint for each in found if not each.error):
            raise OtherModelError(
                f"what answers at {where} is another model than at first; name a version in the "
                "address, or call the command again to go on with the new one"
            )
        return found

    return Identified(identity, only)


def open_model(where: str | Path) -> Model:
    """The model of an export's folder, loaded into this process, or that behind an address.

    Raises ValueError where there is none.
    """
    if isinstance(where, Path) or not address.is_address(where):
        from tfptx.serving import local_model  # noqa: PLC0415 - REST needs no TensorFlow

        return local_model.open_export(Path(where))
    server = address.parse(where)
    if server.scheme in address.GRPC:
        from tfptx.serving import grpc_client  # noqa: PLC0415 - it imports TensorFlow's messages

        return grpc_client.open_grpc(server)
    from tfptx.serving import rest_client  # noqa: PLC0415 - only this needs requests

    return rest_client.open_rest(server)
