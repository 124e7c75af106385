"""This holds the way from a name to a model: an export's folder, or a server's address."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx.serving import address, faults, layout, model_identity
from tfptx.serving.answers import Answer, Model
from tfptx.serving.faults import OtherModelError
from tfptx.serving.model_identity import ModelIdentity


@dataclass(frozen=True)
class Identified:
    """A model, its identity and where it is: of an export the version, absolute.

    Asked after it was replaced it raises OtherModelError.
    """

    where: str | Path
    identity: ModelIdentity
    model: Model


def identify(where: str | Path) -> Identified:
    """Open a model and ask it for a generated radiograph, whose answer tells which one it is.

    Raises ValueError where there is none, NoAnswerError where it does not answer.
    """
    # A version that is exported meanwhile is not the one that is opened.
    place = where if address.is_address(str(where)) else layout.find(Path(where)).resolve()
    model = open_model(place)
    identity = model_identity.of(place, faults.asked_probe(model).fingerprint)

    def only(images: Sequence[bytes]) -> list[Answer]:
        found = model(images)
        # What a server refuses, the client answers, without a fingerprint.
        told = [each.fingerprint for each in found if each.fingerprint or not each.error]
        if any(fingerprint != identity.fingerprint for fingerprint in told):
            raise OtherModelError(
                f"what answers at {where} is another model than at first; name a version in the "
                "address, or begin anew with the new one"
            )
        return found

    return Identified(place, identity, only)


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
