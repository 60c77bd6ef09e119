"""Models over HTTP, against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import ANY

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
        self.moved: dict[str, str] = {}
        self.sent: list[tuple[str, str, Any]] = []
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
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in self.server.moved:
            self.send_response(307)
            self.send_header("Location", self.server.moved[self.path])
        else:
            self.server.sent.append((self.command, self.path, self.parts_of(body)))
            self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def parts_of(self, body: bytes) -> Any:
        if not self.headers["Content-Type"].startswith("multipart/"):
            return body
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = BytesParser().parsebytes(head + body)
        parts: list[Message] = list(form.walk())[1:]
        return {p.get_filename() or "": p.get_payload(decode=True) for p in parts}

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
    assert shares in ([0.0, 5 / 24, 1.0], [0.0, 19 / 24, 1.0])  # both are under way at once
    assert load_artifacts(f"{server.url}/m/model.json").weight_data == DATA


def test_weight_files_are_under_way_at_once(server: Server) -> None:
    paths = {f"{number}.bin": DATA[4 * number : 4 * number + 4] for number in range(6)}
    put(server, paths)
    meeting = threading.Barrier(6)

    def answer(request: Request) -> None:
        meeting.wait(10)
        body = paths[request.path.rpartition("/")[2]]
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    server.files.update({f"/m/{path}": answer for path in paths})
    threads, shares = set(), []
    handler = http(
        f"{server.url}/m/model.json", on_progress=lambda s: (threads.add(threading.get_ident()), shares.append(s))
    )
    assert handler.load().weight_data == DATA
    assert threads == {threading.get_ident()}
    assert shares == sorted(shares)


def test_a_weight_file_that_is_missing_among_others(server: Server) -> None:
    put(server, {f"{number}.bin": DATA[:3] for number in range(8)})
    del server.files["/m/5.bin"]
    with pytest.raises(ModelNotFoundError, match=r"5\.bin"):
        http(f"{server.url}/m/model.json").load()


def test_weight_files_that_are_too_long_together(server: Server) -> None:
    put(server, {f"{number}.bin": DATA[:20] for number in range(3)})
    with pytest.raises(UnsafeModelError, match="more than 24 bytes together"):
        http(f"{server.url}/m/model.json").load()


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
    assert document["weightsManifest"][0]["paths"] == ["./model.weights.bin"]
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
    """And each file is asked for at the address's server, which may send on to different places."""
    with Server() as other:
        threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        put(other, {"a.bin": DATA})
        for name in ("model.json", "a.bin"):
            server.files[f"/m/{name}?key=1"] = redirect(f"{other.url}/m/{name}")
        assert http(f"{server.url}/m/model.json?key=1", headers={"X-Key": "secret"}).load().weight_data == DATA
        other.shutdown()
    assert [h["X-Key"] for h in server.headers] == ["secret", "secret"]
    assert [h["X-Key"] for h in other.headers] == [None, None]


def test_the_query_of_the_address_goes_with_every_file(server: Server) -> None:
    put(server, {"a.bin": DATA})
    server.files = {f"{path}?token=a/b": body for path, body in server.files.items()}
    assert load_artifacts(f"{server.url}/m/model.json?token=a/b").weight_data == DATA


def test_every_weight_file_may_have_an_address_of_its_own(server: Server) -> None:
    put(server, {"a.bin": DATA[:8], "b.bin": DATA[8:]})
    server.files["/x/a.bin/raw"], server.files["/x/b.bin/raw"] = (
        server.files.pop("/m/a.bin"),
        server.files.pop("/m/b.bin"),
    )
    found = http(f"{server.url}/m/model.json?q=1", weight_url_converter=lambda path: f"{server.url}/x/{path}/raw")
    server.files["/m/model.json?q=1"] = server.files.pop("/m/model.json")
    assert found.load().weight_data == DATA
    with pytest.raises(UnsafeModelError, match="leads to"):
        http(f"{server.url}/m/model.json?q=1", weight_url_converter=lambda path: "file:///etc/passwd").load()


def test_single_files(server: Server, tmp_path: Any) -> None:
    big = np.random.default_rng(0).bytes(300_000)
    shares: list[float] = []
    handler = http(f"{server.url}/m.keras", headers={"X-Key": "k"}, on_progress=shares.append)
    handler.write_file([big[:1000], memoryview(big)[1000:]])
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(set(shares))
    assert len(shares) > 4
    assert server.sent == [("PUT", "/m.keras", big)]
    server.files["/m.keras"] = big
    assert handler.read_file() == big
    with pytest.raises(UnsafeModelError, match="more than 1000"):
        http(f"{server.url}/m.keras", max_bytes=1000).read_file()
    with pytest.raises(ModelNotFoundError, match="404"):
        http(f"{server.url}/n.keras").read_file()


def test_a_whole_model_as_a_file(server: Server) -> None:
    model = lamina.Sequential([lamina.layers.Dense(2, input_shape=(3,))])
    model.save(f"{server.url}/m.safetensors?key=1")
    assert server.sent[0][:2] == ("PUT", "/m.safetensors?key=1")
    server.files["/m.safetensors?key=1"] = server.sent[0][2]
    x = np.ones((1, 3), np.float32)
    for address in (f"{server.url}/m.safetensors?key=1", http(f"{server.url}/m.safetensors?key=1", timeout=5.0)):
        np.testing.assert_array_equal(lamina.load_model(address).predict(x), model.predict(x))
    server.files["/m.safetensors?key=1"] = b"PK\3\4"
    with pytest.raises(UnsafeModelError):
        lamina.load_model(f"{server.url}/m.safetensors?key=1")


def test_a_file_is_sent_again_after_a_redirect(server: Server) -> None:
    server.moved["/up.keras"] = "/there.keras"
    http(f"{server.url}/up.keras").write_file([b"12", b"345"])
    server.moved["/up"] = "/there"
    http(f"{server.url}/up").save(ARTIFACTS)
    assert server.sent[0] == ("PUT", "/there.keras", b"12345")
    assert server.sent[1][1:] == ("/there", {"model.json": ANY, "model.weights.bin": DATA})


def test_progress_of_what_is_sent(server: Server) -> None:
    size = 200_000
    specs, data = lamina.io.encode_weights([("w", np.zeros(size, np.float32), None)])
    shares: list[float] = []
    http(f"{server.url}/up", on_progress=shares.append).save(ModelArtifacts({}, specs, data))
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(set(shares))
    assert len(shares) > 8
    assert server.sent[0][2]["model.weights.bin"] == data


SECRET = "https://me:pass-word@127.0.0.1:1/m/model.json?token=abc"


@pytest.mark.parametrize(
    "action",
    [
        lambda: lamina.load_model(SECRET),
        lambda: save_artifacts(SECRET, ARTIFACTS),
        lambda: save_artifacts(SECRET, ModelArtifacts({}, ARTIFACTS.weight_specs, b"")),
        lambda: lamina.load_model(SECRET.replace("model.json", "m.pth")),
        lambda: http(SECRET, method="GET"),
        lambda: lamina.load_model("ftps://me:pass-word@host/m?token=abc"),
        lambda: lamina.io.remove_model(SECRET),
        lambda: lamina.io.copy_model(SECRET, SECRET),
        lambda: lamina.load_model("https://me:pass-word/@host:x/m?token=abc"),
        lambda: lamina.load_model(f"simplecache::{SECRET}"),
    ],
)
def test_errors_do_not_show_what_is_secret(action: Any) -> None:
    with pytest.raises(LaminaError) as caught:
        action()
    texts = [str(caught.value), str(caught.value.__cause__ or "")]
    assert not [text for text in texts if "pass-word" in text or "abc" in text]


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
    with pytest.raises(UnsafeModelError, match=f"more than {len(DATA)}"):
        http(f"{server.url}/m/model.json").load()
    with pytest.raises(UnsafeModelError, match=f"weights of {len(DATA)} bytes"):
        http(f"{server.url}/m/model.json", max_bytes=len(DATA) - 1).load()
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
