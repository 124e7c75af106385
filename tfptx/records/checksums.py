"""This holds the checksums of a records folder, as `sha256sum --check SHA256SUMS` reads them."""

from collections.abc import Mapping
from pathlib import Path

from tfptx import files, provenance

NAME = "SHA256SUMS"


def write(folder: Path, known: Mapping[str, str]) -> None:
    """Write the SHA-256 of every file of the folder; some are known and not computed again."""
    names = sorted(path.name for path in folder.iterdir() if path.name != NAME)
    sums = {name: known.get(name) or provenance.sha256_of_file(folder / name) for name in names}
    files.write_text(folder / NAME, "".join(f"{sums[name]}  {name}\n" for name in names))


def read(folder: Path) -> dict[str, str]:
    """Read the SHA-256 of each file. Raises ValueError where the file is missing or damaged."""
    path = folder / NAME
    if not path.is_file():
        raise ValueError(f"{NAME}: missing")
    try:
        lines = [line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines()]
        return {name: digest for digest, name in lines}
    except ValueError as error:
        raise ValueError(f"{NAME}: its bytes changed") from error
