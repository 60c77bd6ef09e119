"""Good files damaged at random: bytes, numbers in headers, and the trees that JSON texts are, each by a seed."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 7, 2**31 - 1, 2**31, 2**32, 2**53 - 1, 10**9, 10**12, 0.5, -0.0, 1e300, "", "x",
    "..", "/etc/hostname", "os.system", "Lambda", "Dense", "LSTM", "Model", "Sequential", "relu", "__proto__", [], {},
    [[]], [None, 3], [10**6, 10**6], {"class_name": "Dense", "config": {"units": 10**9}}, {"a": {"b": {"c": {}}}},
]  # fmt: skip
NUMBERS = [
    0, 1, 2, 7, 8, 15, 16, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1,
]  # fmt: skip
_KEYS = ("units", "name", "layers", "dtype", "batch_input_shape", "x", "module")


def damaged_bytes(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out, repeated, or replaced by numbers that headers may hold."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        if not found:
            break
        at = chance.randrange(len(found)) if chance.random() < 0.5 else chance.randrange(min(len(found), 512))
        match chance.randrange(7):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
            case 2:
                size = chance.choice((1, 2, 4, 8))
                number = chance.choice(NUMBERS) % 256**size
                found[at : at + size] = struct.pack("<Q", number)[:size]
            case 3:
                del found[at : at + chance.choice((1, 4, 16, 256))]
            case 4:
                found[at:at] = found[at : at + chance.choice((1, 8, 64, 512))]
            case 5:
                del found[at:]
            case 6:
                other = chance.randrange(len(found))
                size = chance.choice((4, 8, 32))
                found[at : at + size] = found[other : other + size]
    return bytes(found)


def damaged_tree(tree: Any, chance: random.Random) -> Any:
    """A JSON value with some places changed: replaced, moved, copied, nested or left out."""
    found = json.loads(json.dumps(tree))
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        places = _places(found)
        if not places:
            break
        holder, key = chance.choice(places)
        match chance.randrange(7):
            case 0 | 1:
                holder[key] = chance.choice(STRANGE)
            case 2:
                del holder[key]
            case 3:
                there, other = chance.choice(places)
                holder[key] = _copy(there, other)
            case 4:
                holder[key] = [holder[key]] * chance.choice((0, 1, 2, 50))
            case 5 if isinstance(holder[key], (int, float)):
                holder[key] = chance.choice((-1, 2, 10, 1000, 10**7)) * holder[key]
            case 5 if isinstance(holder[key], str):
                text = holder[key]
                holder[key] = chance.choice((text.upper(), text * 2, text[:-1], text + "\0"))
            case 6 if isinstance(holder, dict):
                holder[chance.choice(_KEYS)] = holder[key]
    return found


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in a tree, as what holds it and where."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _copy(holder: Any, key: Any) -> Any:
    try:
        return json.loads(json.dumps(holder[key]))
    except (KeyError, IndexError):  # it was taken away by a change before
        return None


def damaged_json(text: bytes, chance: random.Random) -> bytes:
    """A JSON text damaged as a tree, or, sometimes, as bytes."""
    if chance.random() < 0.15:
        return damaged_bytes(text, chance)
    return json.dumps(damaged_tree(json.loads(text), chance)).encode()
