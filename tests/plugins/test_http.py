"""Models over HTTP, against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

pytest.importorskip("httpx")

import lamina
from lamina.contract.io import ModelArtifacts, WeightSpec
from lamina.errors import ArgumentError, LaminaError, ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io import encode_model_json, http, load_artifacts, save_artifacts

DATA = np.arange(6, dtype=np.float32).tobytes()
ARTIFACTS = ModelArtifacts({"class_name": "Sequential", "config": {}}, (WeightSpec("w", (2, 3), "float32"),), DATA)


class Server(ThreadingHTTPServer):
    """Answers with what ``files`` holds: a body, or a function of the request; keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.files: dict[str, Any] = {}
        self.sent: list[tuple[str, str, dict[str, bytes]]] = []
        self.headers: list[Any] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Request(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.headers.append(self.headers)
        body = self.server.files.get(self.path)
        if callable(body):
            body(self)
            return
        self.send_response(404 if body is None else self.server.status)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = BytesParser().parsebytes(head + self.rfile.read(length))
        parts: list[Message] = list(form.walk())[1:]
        found = {p.get_filename() or "": p.get_payload(decode=True) for p in parts}
        self.server.sent.append((self.command, self.path, found))  # type: ignore[arg-type]
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def put(server: Server, paths: dict[str, bytes]) -> None:
    server.files["/m/model.json"] = encode_model_json(ARTIFACTS, list(paths))
    for path, data in paths.items():
        server.files[f"/m/{path}"] = data


def redirect(to: str) -> Any:
    def answer(request: Request) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def test_a_model_is_fetched_with_all_its_weight_files(server: Server) -> None:
    put(server, {"a.bin": DATA[:5], "sub/b.bin": DATA[5:]})
    shares: list[float] = []
    found = http(f"{server.url}/m/model.json", on_progress=shares.append).load()
    assert (found.topology, found.weight_specs, found.weight_data) == (ARTIFACTS.topology, ARTIFACTS.weight_specs, DATA)
    assert shares == [0.5, 1.0]
    assert load_artifacts(f"{server.url}/m/model.json").weight_data == DATA


def test_weight_files_may_lie_elsewhere(server: Server) -> None:
    put(server, {"a.bin": DATA})
    server.files["/w/a.bin"] = server.files.pop("/m/a.bin")
    found = http(f"{server.url}/m/model.json", weight_path_prefix=f"{server.url}/w/").load()
    assert found.weight_data == DATA


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_model_is_sent_as_tensorflow_js_sends_it(server: Server, method: str) -> None:
    result = save_artifacts(http(f"{server.url}/up", method=method), ARTIFACTS)
    assert result.weight_bytes == len(DATA)
    ((sent, path, parts),) = server.sent
    assert (sent, path, list(parts)) == (method, "/up", ["model.json", "model.weights.bin"])
    document = json.loads(parts["model.json"])
    assert document["weightsManifest"][0]["paths"] == ["model.weights.bin"]
    assert parts["model.weights.bin"] == DATA


def test_a_whole_model_there_and_back(server: Server) -> None:
    model = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
    model.save(f"{server.url}/up")
    for name, data in server.sent[0][2].items():
        server.files[f"/up/{name}"] = data
    x = np.ones((1, 3), np.float32)
    again = lamina.load_model(f"{server.url}/up/model.json")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_headers_reach_their_own_server_only(server: Server) -> None:
    with Server() as other:
        threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        put(other, {"a.bin": DATA})
        server.files["/m/model.json"] = redirect(f"{other.url}/m/model.json")
        assert http(f"{server.url}/m/model.json", headers={"X-Key": "secret"}).load().weight_data == DATA
        other.shutdown()
    assert [h["X-Key"] for h in server.headers] == ["secret"]
    assert [h["X-Key"] for h in other.headers] == [None, None]


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/model.json", "file:///etc/passwd"])
def test_redirects_to_other_schemes(server: Server, target: str) -> None:
    server.files["/m/model.json"] = redirect(target)
    with pytest.raises(LaminaError):
        http(f"{server.url}/m/model.json").load()


def test_redirects_without_end(server: Server) -> None:
    server.files["/m/model.json"] = redirect("/m/model.json")
    with pytest.raises(ModelFileError, match="redirects"):
        http(f"{server.url}/m/model.json").load()
    assert len(server.headers) < 10


def test_what_is_missing(server: Server) -> None:
    with pytest.raises(ModelNotFoundError, match="404"):
        http(f"{server.url}/m/model.json").load()
    put(server, {"a.bin": DATA})
    del server.files["/m/a.bin"]
    with pytest.raises(ModelNotFoundError, match=r"a\.bin"):
        http(f"{server.url}/m/model.json").load()


def test_other_statuses(server: Server) -> None:
    put(server, {"a.bin": DATA})
    server.status = 500
    with pytest.raises(ModelFileError, match="500"):
        http(f"{server.url}/m/model.json").load()
    with pytest.raises(ModelFileError, match="did not take"):
        save_artifacts(f"{server.url}/up", ARTIFACTS)


def endless(request: Request) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b" " * 65536)
    except OSError:
        return


def test_answers_are_bounded_while_reading(server: Server) -> None:
    put(server, {"a.bin": DATA})
    server.files["/m/a.bin"] = endless
    with pytest.raises(UnsafeModelError, match="more than 1000"):
        http(f"{server.url}/m/model.json", max_bytes=1000).load()
    server.files["/m/model.json"] = endless
    with pytest.raises(UnsafeModelError, match="more than 500"):
        http(f"{server.url}/m/model.json", limits=lamina.io.Limits(json_bytes=500)).load()


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"1", b""])
def test_weights_of_another_size(server: Server, data: bytes) -> None:
    put(server, {"a.bin": data})
    with pytest.raises(UnsafeModelError):
        http(f"{server.url}/m/model.json").load()


def packed(request: Request) -> None:
    request.send_response(200)
    request.send_header("Content-Encoding", "gzip")
    request.send_header("Content-Length", "2")
    request.end_headers()
    request.wfile.write(b"{}")


def test_packed_answers_are_refused(server: Server) -> None:
    server.files["/m/model.json"] = packed
    with pytest.raises(UnsafeModelError, match="packed"):
        http(f"{server.url}/m/model.json").load()


def silent(request: Request) -> None:
    threading.Event().wait(2.0)


def test_a_server_that_says_nothing(server: Server) -> None:
    server.files["/m/model.json"] = silent
    with pytest.raises(ModelFileError, match="cannot be reached"):
        http(f"{server.url}/m/model.json", timeout=0.1).load()


@pytest.mark.parametrize("path", ["../b.bin", "//evil.example/b.bin", "http://evil.example/b.bin"])
def test_weight_paths_stay_beside_the_model(server: Server, path: str) -> None:
    text = encode_model_json(ARTIFACTS, ["a.bin"]).replace(b"a.bin", path.encode())
    server.files["/m/model.json"] = text
    with pytest.raises(UnsafeModelError):
        http(f"{server.url}/m/model.json").load()
    assert len(server.headers) == 1


@pytest.mark.parametrize("address", ["file://x", "memory://x", "x"])
def test_other_addresses(address: str) -> None:
    with pytest.raises(ArgumentError):
        http(address)


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="method"):
        http("http://localhost/x", method="GET")
