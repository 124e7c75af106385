"""This holds the taming of texts that others wrote: tags, file names, messages about them."""

import re

LONGEST = 200  # characters; what is longer in a tag or a message is no use to a reader
# Line ends, terminal codes and what changes the direction of writing, lone surrogates too.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\s]+")
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")  # what a spreadsheet runs, full-width too


def plain(text: str, longest: int = LONGEST) -> str:
    """One line without control characters, of at most `longest` characters."""
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def cell(text: str, longest: int = LONGEST) -> str:
    """The plain text for a csv: an apostrophe keeps a spreadsheet from taking it as a formula."""
    line = plain(text, longest)
    return f"'{line}" if line[:1] in _FORMULA else line
