"""A model that somebody posts, as TensorFlow.js does: one multipart form with ``model.json`` and its weights.

The form is a stranger's: it is cut at its boundaries and nothing else, what it may hold is a list of two names, and
everything in it is checked as in a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from typing import Final

from lamina.contract.io import Bytes, ModelArtifacts
from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io import Limits, decode_model_json, decode_weights
from lamina.io.checks import shown

MODEL: Final = "model.json"
WEIGHTS: Final = "model.weights.bin"
_MOST_HEAD: Final = 8 << 10
_WHERE: Final = "the form that was sent"


def receive(body: Bytes, content_type: str, *, limits: Limits | None = None) -> ModelArtifacts:
    r"""The model of a request's body, as TensorFlow.js's ``model.save("http://...")`` and lamina's ``save`` send it.

    ``content_type`` is the request's header of that name; ``limits`` bounds what the ``model.json`` may hold. For a
    server of your own; ``lamina.save_artifacts`` or ``lamina.io.from_memory`` take what comes back.

    Raises ModelFileError if the body is no such form, UnsafeModelError if the model in it breaks the rules for files.

    >>> head = 'Content-Disposition: form-data; name="model.json"; filename="model.json"'
    >>> text = '{"modelTopology": {"class_name": "Sequential"}, "weightsManifest": []}'
    >>> body = f"--cut\r\n{head}\r\n\r\n{text}\r\n--cut--\r\n".encode()
    >>> receive(body, "multipart/form-data; boundary=cut").topology
    {'class_name': 'Sequential'}
    """
    parts: dict[str, memoryview] = {}
    for name, part in _parts(memoryview(body).cast("B"), _boundary(content_type)):
        if name not in (MODEL, WEIGHTS) or name in parts:
            raise ModelFileError(
                f"{_WHERE} has the part {shown(name)}.",
                expected=f"one {MODEL!r}, and one {WEIGHTS!r} if it has weights.",
            )
        parts[name] = part
    if MODEL not in parts:
        raise ModelFileError(f"{_WHERE} has no part {MODEL!r}.", expected="what TensorFlow.js posts.")
    found = limits or Limits()
    if len(parts[MODEL]) > found.json_bytes:
        raise UnsafeModelError(f"{_WHERE} has {len(parts[MODEL])} bytes of JSON.", expected=f"{found.json_bytes}.")
    document = decode_model_json(bytes(parts[MODEL]), _WHERE, found)
    data = parts.get(WEIGHTS, memoryview(b""))
    decode_weights(document.artifacts.weight_specs, data, _WHERE)
    return replace(document.artifacts, weight_data=data)


def _boundary(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    boundary = header.get_param("boundary")
    if (
        header.get_content_type() != "multipart/form-data"
        or not isinstance(boundary, str)
        or not 0 < len(boundary) <= 70
    ):
        raise ModelFileError(
            f"the request has the Content-Type {shown(content_type)}.", expected="multipart/form-data with a boundary."
        )
    return b"--" + boundary.encode("latin-1", "replace")


def _parts(body: memoryview, boundary: bytes) -> Iterator[tuple[str, memoryview]]:
    """The parts of a form by name; their bytes are not copied."""
    raw = body.obj if isinstance(body.obj, (bytes, bytearray)) and body.nbytes == len(body.obj) else bytes(body)
    if not raw.startswith(boundary):
        raise ModelFileError(f"{_WHERE} does not begin with its boundary.")
    start = len(boundary)
    while raw[start : start + 2] == b"\r\n":
        end_of_head = raw.find(b"\r\n\r\n", start, start + _MOST_HEAD)
        end = raw.find(b"\r\n" + boundary, end_of_head) if end_of_head >= 0 else -1
        if end < 0:
            raise ModelFileError(f"{_WHERE} ends within a part.", expected="a whole form.")
        yield _name(bytes(raw[start + 2 : end_of_head])), body[end_of_head + 4 : end]
        start = end + 2 + len(boundary)
    if raw[start : start + 2] != b"--":
        raise ModelFileError(f"{_WHERE} does not end with its boundary.", expected="a whole form.")


def _name(head: bytes) -> str:
    """The name of a part by the lines at its head."""
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            header = Message()
            header["Content-Disposition"] = value.strip().decode("utf-8", "replace")
            name = header.get_param("name", header="content-disposition")
            return name if isinstance(name, str) else ""
    return ""
