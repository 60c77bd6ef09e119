"""Good models to damage, and how a damaged one of each format is made."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import lamina
from fuzz.mutations import damaged_bytes, damaged_json
from lamina import layers


def models() -> list[Any]:
    """Small models of several kinds, compiled and trained for a step, so that their files hold all there can be."""
    image = lamina.Sequential(
        [
            layers.Conv2D(2, 3, padding="same", activation="relu", input_shape=(6, 6, 1)),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(2, activation="softmax", kernel_regularizer="l2", kernel_constraint="non_neg"),
        ]
    )
    words = lamina.Input((4,), dtype="int32")
    numbers = lamina.Input((3,))
    inner = lamina.Sequential([layers.Dense(2, input_shape=(3,)), layers.LeakyReLU()], name="inner")
    x = layers.Bidirectional(layers.GRU(2))(layers.Embedding(5, 2, mask_zero=True)(words))
    joined = layers.Concatenate()([x, inner(numbers), inner(numbers)])
    graph = lamina.Model([words, numbers], [layers.Dense(1, name="a")(joined), layers.Dropout(0.5, name="b")(joined)])
    image.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    graph.compile(lamina.optimizers.SGD(0.1, momentum=0.9), {"a": "mse", "b": "mae"}, metrics={"a": ["mae"], "b": []})
    image.train_on_batch(lamina.ones((2, 6, 6, 1)), lamina.ones((2, 2)))
    graph.train_on_batch(
        [lamina.ones((2, 4), "int32"), lamina.ones((2, 3))], {"a": lamina.ones((2, 1)), "b": lamina.ones((2, 8))}
    )
    return [image, graph]


def damaged_folder(good: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
    """A ``model.json`` or its weight file, damaged."""
    found = dict(good)
    name = "model.json" if chance.random() < 0.85 else chance.choice(sorted(good))
    found[name] = damaged_json(found[name], chance) if name == "model.json" else damaged_bytes(found[name], chance)
    return found


def damaged_archive(data: bytes, chance: random.Random) -> bytes:
    """A ``.keras`` file with damaged members, or damaged itself."""
    if chance.random() < 0.3:
        return damaged_bytes(data, chance)
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(written, "w") as target:
        wanted = chance.choice(("config.json", "config.json", "config.json", "metadata.json", "model.weights.h5"))
        for info in source.infolist():
            content = source.read(info)
            if info.filename == wanted:
                damage: Callable[..., bytes] = damaged_json if wanted.endswith(".json") else damaged_bytes
                content = damage(content, chance)
            packed = zipfile.ZIP_DEFLATED if chance.random() < 0.1 else zipfile.ZIP_STORED
            target.writestr(zipfile.ZipInfo(info.filename), content, packed)
    return written.getvalue()


def damaged_safetensors(data: bytes, chance: random.Random) -> bytes:
    """A file with a damaged header and its right length, with a damaged text in its metadata, or damaged as bytes."""
    if chance.random() < 0.2:
        return damaged_bytes(data, chance)
    (size,) = struct.unpack("<Q", data[:8])
    header = data[8 : 8 + size]
    metadata = json.loads(header).get("__metadata__", {})
    own = chance.choice(sorted(metadata)) if metadata and chance.random() < 0.6 else None
    if own is not None and metadata[own].startswith("{"):
        tree = json.loads(header)
        tree["__metadata__"][own] = damaged_json(metadata[own].encode(), chance).decode("utf-8", "replace")
        header = json.dumps(tree).encode()
    else:
        header = damaged_json(header, chance)
    return struct.pack("<Q", len(header)) + header + data[8 + size :]


def damaged_hdf5(data: bytes, chance: random.Random) -> bytes:
    """A file with damaged bytes, or whose texts (of a model) are damaged within their length."""
    start = data.find(b'{"')
    if start < 0 or chance.random() < 0.6:
        return damaged_bytes(data, chance)
    end = data.find(b"\0", start)
    text = data[start:end]
    try:
        fresh = json.dumps(json.loads(damaged_json(text, chance)), separators=(",", ":")).encode()
    except ValueError:
        return damaged_bytes(data, chance)
    return data[:start] + fresh[: len(text)].ljust(len(text)) + data[end:]


SINGLE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".keras": damaged_archive,
    ".h5": damaged_hdf5,
    ".weights.h5": damaged_hdf5,
    ".safetensors": damaged_safetensors,
}
"""Formats of one file, and how one is damaged."""

FORMATS = ("model.json", *SINGLE)
