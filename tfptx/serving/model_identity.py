"""This holds the identity of a model: by what name, version and fingerprint results tell of it."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tfptx import provenance
from tfptx.scans.plain_text import plain
from tfptx.serving import layout

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

    Behind a URL only the server knows what it serves, so the URL stands for it.
    Raises ValueError where there is no export.
    """
    if "://" in str(where):
        return _of_url(str(where))
    version = layout.find(Path(where))
    paths = sorted(path for path in version.rglob("*") if path.is_file())
    fingerprint = provenance.fingerprint(
        f"{path.relative_to(version)} {provenance.sha256_of_file(path)}" for path in paths
    )
    export = version.resolve()
    if export.name.isdecimal():
        return ModelIdentity(_named(export.parent.name), export.name, fingerprint)
    return ModelIdentity(_named(export.name), "1", fingerprint)


def _of_url(url: str) -> ModelIdentity:
    split = urlsplit(url)
    words = [word for word in split.path.split(":")[0].split("/") if word]
    following = dict(itertools.pairwise(words))
    name = following.get("models") or (words or [split.hostname or url])[-1]
    fingerprint = provenance.fingerprint([url])
    return ModelIdentity(_named(name), _named(following.get("versions", SERVED)), fingerprint)


def _named(text: str) -> str:
    return plain(text.replace("\\", "_"), LONGEST_NAME)
