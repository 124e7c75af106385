"""This holds the identity of a model: by what name, version and fingerprint results tell of it."""

from dataclasses import dataclass
from pathlib import Path

from tfptx import provenance
from tfptx.scans.plain_text import plain
from tfptx.serving import address, layout
from tfptx.serving.address import Address

SERVED = "served"  # the version where only the server knows it
LONGEST_NAME = 60  # characters, so that DICOM's 64 of a long string do


@dataclass(frozen=True)
class ModelIdentity:
    """The export's or served model's name, its version, and what tells it from any other."""

    name: str
    version: str
    fingerprint: str


def of(where: str | Path) -> ModelIdentity:
    """The identity of what `models.open_model` opens: an export's is that of its files' content.

    Behind an address only the server knows what it serves, so the address stands for it.
    Raises ValueError where there is no export, or an address is none.
    """
    if address.is_address(str(where)):
        return _of_address(address.parse(str(where)))
    version = layout.find(Path(where))
    paths = sorted(path for path in version.rglob("*") if path.is_file())
    fingerprint = provenance.fingerprint(
        f"{path.relative_to(version)} {provenance.sha256_of_file(path)}" for path in paths
    )
    export = version.resolve()
    if export.name.isdecimal():
        return ModelIdentity(_named(export.parent.name), export.name, fingerprint)
    return ModelIdentity(_named(export.name), "1", fingerprint)


def _of_address(served: Address) -> ModelIdentity:
    version = SERVED if served.version is None else str(served.version)
    return ModelIdentity(_named(served.name), version, provenance.fingerprint([str(served)]))


def _named(text: str) -> str:
    return plain(text.replace("\\", "_"), LONGEST_NAME)
