"""This holds the identity of a model: by what name, version and fingerprint results tell of it."""

from dataclasses import dataclass
from pathlib import Path

from tfptx.scans.plain_text import plain
from tfptx.serving import address, layout

SERVED = "served"  # the version where only the server knows its number
LONGEST_NAME = 60  # characters, so that DICOM's 64 of a long string do


@dataclass(frozen=True)
class ModelIdentity:
    """The export's or served model's name, its version, and what tells it from any other."""

    name: str
    version: str
    fingerprint: str


def of(where: str | Path, fingerprint: str) -> ModelIdentity:
    """The identity of what `models.open_model` opens, with the fingerprint that its answers have.

    Raises ValueError where there is no export, or an address is none.
    """
    if address.is_address(str(where)):
        served = address.parse(str(where))
        version = SERVED if served.version is None else str(served.version)
        return ModelIdentity(_named(served.name), version, fingerprint)
    export = layout.find(Path(where)).resolve()
    if export.name.isdecimal():
        return ModelIdentity(_named(export.parent.name), export.name, fingerprint)
    return ModelIdentity(_named(export.name), "1", fingerprint)


def _named(text: str) -> str:
    return plain(text.replace("\\", "_"), LONGEST_NAME)
