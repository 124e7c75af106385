"""This holds DICOM's unique identifiers: which are valid, and those that a name gives."""

import re
import uuid

# Derived UIDs (PS3.5, B.2) stand for a UUID; version 5 hashes a name, so a name gives one again.
ROOT = uuid.UUID("8f0b1c52-6d0a-5f0e-9a54-51d6c1f0a2b7")
LONGEST = 64  # characters (PS3.5, 9.1)
_COMPONENTS = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")


def of_name(name: str) -> str:
    """The UID that a name gives, under the root 2.25."""
    return f"2.25.{uuid.uuid5(ROOT, name).int}"


def is_valid(text: str) -> bool:
    """Whether a text is a UID (PS3.5, 9.1): numbers and dots alone, which a path can hold."""
    return len(text) <= LONGEST and _COMPONENTS.fullmatch(text) is not None
