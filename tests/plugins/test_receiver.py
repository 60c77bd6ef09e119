"""Models that somebody posts: the form of TensorFlow.js, the server that takes it, and what it refuses."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.contract.io import ModelArtifacts, WeightSpec
from lamina.errors import ModelFileError, UnsafeModelError
from lamina.io import Limits, encode_model_json, with_save_handler
from lamina_http.forms import receive
from lamina_http.receiver import ModelReceiver

DATA = np.arange(6, dtype=np.float32).tobytes()
ARTIFACTS = ModelArtifacts({"class_name": "Sequential", "config": {}}, (WeightSpec("w", (2, 3), "float32"),), DATA)
DOCUMENT = encode_model_json(ARTIFACTS, ["model.weights.bin"])
TYPE = "multipart/form-data; boundary=----cut"


def form(*parts: tuple[str, bytes], boundary: bytes = b"------cut") -> bytes:
    body = b""
    for name, data in parts:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{name}"'.encode()
        body += boundary + b"\r\n" + head + b"\r\nContent-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    return body + boundary + b"--\r\n"


WHOLE = form(("model.json", DOCUMENT), ("model.weights.bin", DATA))


def post(url: str, body: bytes, method: str = "POST", **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    named = {"Content-Type": TYPE, **{key.replace("_", "-"): value for key, value in headers.items()}}
    connection.request(method, parts.path, body, named)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


class TestForm:
    def test_it_holds_the_model(self):
        found = receive(WHOLE, TYPE)
        assert found.topology == ARTIFACTS.topology
        assert found.weight_specs == ARTIFACTS.weight_specs
        assert bytes(found.weight_data) == DATA

    def test_weights_may_hold_any_bytes(self):
        data = (b"\r\n--" * 6)[:24]
        found = receive(form(("model.json", DOCUMENT), ("model.weights.bin", data)), TYPE)
        assert bytes(found.weight_data) == data

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_of_any_kind_of_bytes(self, kind):
        assert bytes(receive(kind(WHOLE), TYPE).weight_data) == DATA

    @pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=cut"])
    def test_another_content_type(self, content_type):
        with pytest.raises(ModelFileError, match="Content-Type"):
            receive(WHOLE, content_type)

    @pytest.mark.parametrize("most", range(0, len(WHOLE) - 4, 7))
    def test_cut_anywhere(self, most):
        with pytest.raises(ModelFileError):
            receive(WHOLE[:most], TYPE)

    @pytest.mark.parametrize("name", ["", "../model.json", "weights.bin", "MODEL.JSON"])
    def test_other_parts(self, name):
        with pytest.raises(ModelFileError, match="has the part"):
            receive(form(("model.json", DOCUMENT), (name, DATA)), TYPE)

    def test_a_part_twice(self):
        with pytest.raises(ModelFileError, match=r"has the part 'model\.json'"):
            receive(form(("model.json", DOCUMENT), ("model.json", DOCUMENT)), TYPE)

    def test_without_a_model(self):
        with pytest.raises(ModelFileError, match=r"no part 'model\.json'"):
            receive(form(("model.weights.bin", DATA)), TYPE)

    def test_weights_that_do_not_fit(self):
        for data in (DATA[:-1], DATA + b"0"):
            with pytest.raises(ModelFileError):
                receive(form(("model.json", DOCUMENT), ("model.weights.bin", data)), TYPE)

    def test_json_that_breaks_the_rules(self):
        with pytest.raises(UnsafeModelError, match="bytes of JSON"):
            receive(WHOLE, TYPE, limits=Limits(json_bytes=100))
        with pytest.raises(ModelFileError, match="the form that was sent"):
            receive(form(("model.json", b'{"modelTopology": NaN}')), TYPE)

    def test_damage_anywhere_is_an_error_of_ours_or_none(self):
        generator = np.random.default_rng(0)
        for _ in range(2000):
            body = bytearray(WHOLE)
            for place in generator.integers(0, len(body), generator.integers(1, 4)):
                body[place] = generator.integers(0, 256)
            start, end = np.sort(generator.integers(0, len(body), 2))
            if generator.random() < 0.3:
                del body[start:end]
            with contextlib.suppress(ModelFileError):
                receive(body, TYPE)


class TestReceiver:
    def test_what_lamina_saves_to_it_is_there(self):
        pytest.importorskip("httpx")
        model = lamina.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
        with ModelReceiver("memory://received") as receiver:
            model.save(receiver.url)
        assert receiver.count == 1
        assert receiver.last is not None
        assert receiver.last.weight_bytes == 44
        x = np.ones((2, 3), np.float32)
        np.testing.assert_array_equal(lamina.load_model("memory://received").predict(x), model.predict(x))

    def test_the_next_one_takes_its_place(self):
        handed: list[ModelArtifacts] = []
        with ModelReceiver(with_save_handler(handed.append), path="/models/digits") as receiver:
            assert receiver.url.endswith("/models/digits")
            assert [post(receiver.url, WHOLE)[0], post(receiver.url, WHOLE, "PUT")[0]] == [200, 200]
        assert [bytes(one.weight_data) for one in handed] == [DATA, DATA]

    def test_only_there_and_only_so(self):
        with ModelReceiver(with_save_handler(self.nothing), path="/here", max_bytes=len(WHOLE)) as receiver:
            elsewhere = receiver.url.replace("/here", "/there")
            assert post(elsewhere, WHOLE)[0] == 404
            assert post(receiver.url, WHOLE + b"0")[0] == 413
            assert post(receiver.url, b"nonsense")[:2][0] == 400
            assert post(receiver.url, WHOLE[:-30])[0] == 400
            assert post(receiver.url, b"", "GET")[0] == 501
        assert receiver.count == 0

    @staticmethod
    def nothing(artifacts: ModelArtifacts) -> None:
        raise AssertionError("nothing is to be saved")

    def test_the_reason_is_in_the_answer(self):
        with ModelReceiver("memory://none") as receiver:
            status, text, _ = post(receiver.url, form(("model.weights.bin", DATA)))
        assert status == 400
        assert "no part 'model.json'" in text

    @pytest.mark.parametrize("length", ["", "-1", "1e3", "0x10", "9" * 30, "٣"])
    def test_lengths_that_are_none(self, length):
        with ModelReceiver(with_save_handler(self.nothing)) as receiver:
            place = urlsplit(receiver.url)
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                connection.sendall(f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
                status = connection.makefile("rb").readline()
        assert b" 411 " in status or b" 413 " in status

    def test_a_request_that_ends_early(self):
        with ModelReceiver(with_save_handler(self.nothing)) as receiver:
            place = urlsplit(receiver.url)
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\nabc")
                connection.shutdown(socket.SHUT_WR)
                assert b" 400 " in connection.makefile("rb").readline()

    def test_pages_save_only_where_they_may(self):
        page = "http://localhost:8080"
        with ModelReceiver("memory://paged", allow_origin=page) as receiver:
            assert post(receiver.url, WHOLE, Origin="http://example.org")[0] == 403
            status, _, headers = post(receiver.url, WHOLE, Origin=page)
            assert (status, headers["Access-Control-Allow-Origin"]) == (200, page)
            assert post(receiver.url, b"", "OPTIONS", Origin=page)[0] == 204
        with ModelReceiver("memory://paged") as receiver:
            assert post(receiver.url, WHOLE, Origin=receiver.url[:-1])[0] == 403
            assert post(receiver.url, WHOLE)[0] == 200
        with ModelReceiver("memory://paged", allow_origin="*") as receiver:
            assert post(receiver.url, WHOLE, Origin="http://example.org")[0] == 200

    def test_a_save_that_fails_says_so(self, capsys):
        def full(artifacts: ModelArtifacts) -> None:
            raise OSError("the disk is full")

        with ModelReceiver(with_save_handler(full)) as receiver:
            status, text, _ = post(receiver.url, WHOLE)
        assert (status, receiver.count) == (500, 0)
        assert "disk" not in text
        printed, end = "", time.monotonic() + 10
        while "the disk is full" not in printed and time.monotonic() < end:  # it is printed after the answer
            printed += capsys.readouterr().err
            time.sleep(0.01)
        assert "the disk is full" in printed
