"""This holds the checksums of a records folder, as `sha256sum --check SHA256SUMS` reads them."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tfptx import files, provenance

NAME = "SHA256SUMS"
_LINE = re.compile(r"[0-9a-f]{64}  [^ /]+")


def write(folder: Path, names: Iterable[str], known: Mapping[str, str]) -> None:
    """Write the SHA-256 of files of the folder; some are known and not computed again."""
    sums = {name: known.get(name) or provenance.sha256_of_file(folder / name) for name in names}
    files.write_text(folder / NAME, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def read(folder: Path) -> dict[str, str]:
    """Read the SHA-256 of each file. Raises ValueError where there are none that can be read."""
    path = folder / NAME
    if not path.is_file():
        raise ValueError("missing")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not all(_LINE.fullmatch(line) for line in lines):
        raise ValueError("its bytes changed")
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
