"""Files of formats that plugins bring: found by their ending, believed by their first bytes."""

import sys
import types

import pytest

import lamina
from lamina import layers
from lamina.contract import Provides, hookimpl
from lamina.errors import ArgumentError, ModelNotFoundError, UnsafeModelError
from lamina.io import find_format, formats
from lamina.plugins import Plugins


class Numbers:
    """Weights as text, one line each."""

    title = "a file of numbers"
    magic = (b"NUM1",)

    def save_weights(self, model, where):
        yield b"NUM1\n"
        for weight in model.get_weights():
            yield (" ".join(map(repr, weight.ravel().tolist())) + "\n").encode()

    def load_weights(self, model, data, where, *, strict):
        lines = bytes(data).decode().splitlines()[1:]
        model.set_weights([[float(n) for n in line.split()] for line in lines])


class NumbersPlugin:
    @hookimpl
    def lamina_formats(self):
        return [Provides(".num", "numbers_format:Numbers")]


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "numbers_format", types.SimpleNamespace(Numbers=Numbers))
    fresh = Plugins("")
    fresh.add(NumbersPlugin(), "numbers")
    monkeypatch.setattr(formats, "plugins", lambda: fresh)


def model():
    return lamina.Sequential([layers.Rescaling(2.0, input_shape=(3,)), layers.PReLU()])


def test_weights_by_the_ending(tmp_path):
    place = tmp_path / "deep" / "w.num"
    one, other = model(), model()
    one.set_weights([[1.0, 2.5, -3.0]])
    saved = one.save_weights(place)
    assert place.read_bytes() == b"NUM1\n1.0 2.5 -3.0\n"
    assert saved.weight_bytes == len(place.read_bytes())
    other.load_weights(place)
    assert other.get_weights()[0].tolist() == [1.0, 2.5, -3.0]


def test_a_file_of_weights_is_no_model(tmp_path):
    with pytest.raises(ArgumentError, match="holds weights only"):
        model().save(tmp_path / "w.num")
    (tmp_path / "w.num").write_bytes(b"NUM1\n")
    with pytest.raises(ArgumentError, match="holds weights only"):
        lamina.load_model(tmp_path / "w.num")
    with pytest.raises(ArgumentError, match="holds weights only"):
        lamina.callbacks.ModelCheckpoint(tmp_path / "w.num")
    lamina.callbacks.ModelCheckpoint(tmp_path / "w.num", save_weights_only=True)


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"PK\x03\x04", "a ZIP archive"), (b"\x89HDF\r\n\x1a\n", "an HDF5 file"), (b"\x80\x04", "a pickle"),
     (b"", "an empty file"), (b"hello", "a file of no known kind"), (b"\2\0\0\0\0\0\0\0{}", "a file of safetensors")],
)  # fmt: skip
def test_first_bytes_must_agree_with_the_ending(start, kind, tmp_path):
    (tmp_path / "w.num").write_bytes(start)
    with pytest.raises(UnsafeModelError, match=f"is {kind}"):
        model().load_weights(tmp_path / "w.num")


def test_what_is_not_there(tmp_path):
    with pytest.raises(ModelNotFoundError):
        model().load_weights(tmp_path / "w.num")


def test_addresses(tmp_path):
    assert find_format(tmp_path / "folder") is None
    assert find_format("memory://x") is None
    assert find_format(".num") is None
    assert find_format("file://x/W.NUM").format.title == "a file of numbers"
    assert find_format("https://example.org/w.num?token=1.keras").format.title == "a file of numbers"
    with pytest.raises(ArgumentError, match="cannot write a single file"):
        model().save_weights("localstorage://w.num")


@pytest.mark.parametrize(("name", "library"), [("m.pt", "PyTorch"), ("m.PKL", "pickle"), ("m.onnx", "ONNX")])
def test_files_of_other_libraries(name, library, tmp_path):
    with pytest.raises(ArgumentError, match=f"is named like a file of {library}"):
        model().save(tmp_path / name)
    with pytest.raises(ArgumentError, match=r"expected|Expected"):
        lamina.load_model(tmp_path / name)


def test_overwrite(tmp_path):
    model().save_weights(tmp_path / "w.num", overwrite=False)
    with pytest.raises(ArgumentError, match="already"):
        model().save_weights(tmp_path / "w.num", overwrite=False)
