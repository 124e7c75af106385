"""This holds what stands beside every result: fingerprints of inputs, versions, the machine."""

import hashlib
import os
import platform
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "tfptx",
    "tensorflow",
    "keras",
    "jax",
    "segmentation-models",
    "albumentations",
    "opencv-python-headless",
    "simplejpeg",
    "pydicom",
    "highdicom",
    "pylibjpeg",
    "pylibjpeg-libjpeg",
    "pylibjpeg-openjpeg",
    "pylibjpeg-rle",
    "nibabel",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "surface-distance",
)


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(parts: Iterable[str]) -> str:
    """The SHA-256 of texts, each ended by a zero byte so that their borders count."""
    digest = hashlib.sha256()
    for part in parts:
        # A file's name may be no text: see os.fsencode.
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()


def short(fingerprint: str) -> str:
    """The beginning of a fingerprint: enough to compare by eye."""
    return fingerprint[:16]


def environment() -> dict[str, Any]:
    """The command, the machine and the version of every package that shapes a result."""
    return {
        "command": " ".join(sys.argv),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in PACKAGES},
        "code": _code(),
    }


def _code() -> str:
    """The fingerprint of this package's own sources: its version stays while it is developed."""
    package = Path(__file__).parent
    sources = sorted(package.rglob("*.py"))
    return fingerprint(
        text for path in sources for text in (str(path.relative_to(package)), path.read_text())
    )


def version(package: str) -> str | None:
    """The installed version of a package, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
