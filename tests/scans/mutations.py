"""Damage to files, drawn from a seed: what disks, networks and editors do to them, and worse."""

import random

INTERESTING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
CSV_PIECES = (
    ",",
    "\n",
    "\r\n",
    '"',
    " ",
    "-1",
    "0",
    "-",
    "\0",
    "\ufeff",
    "9" * 25,
    "1e3",
    ";",
    "é",
)


def damaged(content: bytes, draw: random.Random, header_bytes: int = 2000) -> bytes:
    """A copy with one to eight injuries, half of them among the first `header_bytes`."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        if not changed:
            break
        end = min(header_bytes, len(changed)) if draw.random() < 0.5 else len(changed)
        at = draw.randrange(end)
        injure = draw.choice((_flip, _set, _number, _cut, _drop, _repeat, _swap))
        injure(changed, at, draw)
    return bytes(changed)


def damaged_text(text: str, draw: random.Random) -> str:
    """A copy of a csv with one to six cells, signs or lines changed."""
    for _ in range(draw.randint(1, 6)):
        at = draw.randint(0, len(text))
        action = draw.randrange(5)
        if action == 0:
            text = text[:at] + draw.choice(CSV_PIECES) + text[at:]
        elif action == 1:
            text = text[:at] + text[at + draw.randint(1, 12) :]
        elif action == 2:
            lines = text.splitlines(keepends=True)
            draw.shuffle(lines)
            text = "".join(lines)
        elif action == 3:
            lines = text.splitlines(keepends=True)
            text += draw.choice(lines or [""])
        else:
            text = text[:at] + str(draw.randint(-5, 2000)) + " " + text[at:]
    return text


def _flip(content: bytearray, at: int, draw: random.Random) -> None:
    content[at] ^= 1 << draw.randrange(8)


def _set(content: bytearray, at: int, draw: random.Random) -> None:
    content[at] = draw.choice(INTERESTING)


def _number(content: bytearray, at: int, draw: random.Random) -> None:
    width = draw.choice((2, 4))
    content[at : at + width] = draw.getrandbits(8 * width).to_bytes(width, "little")


def _cut(content: bytearray, at: int, draw: random.Random) -> None:
    # Seldom near the start, where nothing would be left to read.
    del content[max(at, draw.randrange(len(content))) :]


def _drop(content: bytearray, at: int, draw: random.Random) -> None:
    del content[at : at + draw.randint(1, 64)]


def _repeat(content: bytearray, at: int, draw: random.Random) -> None:
    content[at:at] = content[at : at + draw.randint(1, 64)]


def _swap(content: bytearray, at: int, draw: random.Random) -> None:
    other, size = draw.randrange(len(content)), draw.randint(1, 16)
    content[at : at + size] = content[other : other + size]
