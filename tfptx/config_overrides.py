"""This holds the overrides of a config on the command line: `key.of.parts=value`."""

import tomllib
from typing import Any


def apply(content: dict[str, Any], override: str) -> None:
    """Change a value of a config's content. Raises ValueError where the text is no `key=value`."""
    key, separator, text = override.partition("=")
    if not separator:
        raise ValueError(f"--set takes key=value, got {override!r}")
    *tables, last = key.strip().split(".")
    table = content
    for name in tables:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"--set {override!r}: {name} is a value, not a table")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text
