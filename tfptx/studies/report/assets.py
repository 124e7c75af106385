"""This holds the making of a page: template, style and script in one file that loads nothing."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from tfptx import provenance

FOLDER = Path(__file__).with_name("assets")
STYLE = "page.css"
NOT_KNOWN = "n/a"


def render(template: str, scripts: Sequence[str], content: Mapping[str, Any]) -> str:
    """The page of a template; `scripts` become one module, and `content` fills it, escaped.

    Its policy lets it run this style and these scripts alone, by their hashes, and load nothing.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"dice": _dice, "percent": _percent, "short": _short, "json": as_json}
    style = (FOLDER / STYLE).read_text(encoding="utf-8")
    script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in scripts)
    return environment.get_template(template).render(
        **content,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    """How a Content-Security-Policy names a text (W3C CSP 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def as_json(content: Any) -> str:
    """An object for a script to parse, safe as it is: no text in it can end its element."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _short(fingerprint: str | None) -> str:
    return provenance.short(fingerprint) if fingerprint else "unknown"


def _dice(value: float | None) -> str:
    return NOT_KNOWN if value is None or math.isnan(value) else f"{value:.4f}"


def _percent(value: float | None) -> str:
    return (
        NOT_KNOWN if value is None or math.isnan(value) else f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
    )
