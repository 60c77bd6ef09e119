"""examples/browser as its user has it: made by its script, served, drawn on with a mouse and a finger in Chromium."""

from __future__ import annotations

import os
import runpy
import shutil
import struct
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import lamina
from interop.devtools import page
from interop.tensorflowjs import node_modules

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "browser"
TENSORFLOW = "tf.es2017.min.js"
SAID = "({pixels: Array.from(shrunk()), shares, text: answer.textContent})"


def arc(x, y, across, down, first, last, count=20):
    """Points of an ellipse; angles in degrees, 0 to the right, 90 down."""
    angles = np.radians(np.linspace(first, last, count))
    return [(x + across * np.cos(a), y + down * np.sin(a)) for a in angles]


# Each digit as the strokes of a hand, on paper of 280 by 280.
DIGITS = {
    0: [arc(140, 140, 60, 95, -90, 270)],
    1: [[(140, 40), (138, 140), (136, 240)]],
    2: [[*arc(140, 95, 60, 55, -170, 30), (85, 235), (205, 235)]],
    3: [arc(135, 90, 55, 48, -160, 80) + arc(135, 188, 62, 52, -80, 160)],
    4: [[(150, 40), (70, 165), (215, 165)], [(165, 110), (165, 245)]],
    5: [[(100, 45), (92, 125), *arc(135, 180, 60, 62, -130, 150)], [(100, 45), (195, 45)]],
    6: [[(175, 45), *arc(150, 180, 62, 130, -120, -180, 8), *arc(140, 185, 55, 52, 180, -180)]],
    7: [[(75, 50), (205, 50), (120, 240)], [(100, 145), (195, 145)]],
    8: [arc(140, 88, 48, 45, 90, -270) + arc(140, 187, 58, 55, -90, 270)],
    9: [[*arc(140, 95, 55, 52, 0, -360), (195, 95), (180, 240)]],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the script makes: the Keras file, and the folder of the page, with TensorFlow.js beside it."""
    place = tmp_path_factory.mktemp("digits")
    subprocess.run([sys.executable, EXAMPLE / "make.py"], cwd=place, check=True, timeout=120)
    shutil.copy(node_modules() / "@tensorflow" / "tfjs" / "dist" / TENSORFLOW, place / "digits-page")
    return place


@pytest.fixture(scope="module")
def drawing(folder):
    """The page, open and ready, as ``python -m http.server`` serves it."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder / "digits-page")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, page() as opened:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.open(f"http://127.0.0.1:{server.server_address[1]}/", 760, 540)
        opened.wait_for("typeof answer !== 'undefined' && answer.textContent === 'Draw something.'")
        yield opened
        server.shutdown()


def drawn(opened, strokes, how="drag"):
    """Clears the paper, draws on it, and says what the page then shows."""
    left, top = opened.value("(({x, y}) => [x, y])(paper.getBoundingClientRect())")
    clear = opened.value("(({x, y}) => [x + 9, y + 9])(document.getElementById('clear').getBoundingClientRect())")
    opened.drag([clear, clear])
    opened.wait_for("answer.textContent === 'Draw something.'")
    for stroke in strokes:
        getattr(opened, how)([(left + 1 + x, top + 1 + y) for x, y in stroke])
    opened.wait_for(f"strokes.length === {len(strokes)}")
    opened.value("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))))")
    return opened.value(SAID)


@pytest.fixture(scope="module")
def found(drawing):
    """What the page shows for each digit."""
    return {digit: drawn(drawing, strokes) for digit, strokes in DIGITS.items()}


def inputs(found):
    """The pixels that the model was given in the page."""
    return np.array([said["pixels"] for said in found.values()], np.float32).reshape(-1, 8, 8, 1)


def test_drawn_digits_are_recognised_and_probabilities_are_those_here(folder, drawing, found):
    assert {digit: said["text"] for digit, said in found.items()} == {d: f"This is a {d}." for d in DIGITS}
    ours = lamina.load_model(folder / "digits.keras").predict(inputs(found), verbose=0)
    np.testing.assert_allclose([said["shares"] for said in found.values()], ours, rtol=0, atol=1e-5)
    assert drawing.said == []


def test_pixels_are_like_those_of_the_data_set(found):
    """As there: sixteenths, about a third black, the whole height, nothing at the sides."""
    for pixels in inputs(found)[..., 0]:
        np.testing.assert_array_equal(pixels * 16, np.round(pixels * 16))
        assert 0.25 < pixels.mean() < 0.35
        assert pixels[[0, 7]].any(axis=1).all()
        assert not pixels[:, [0, 7]].any()


def test_a_finger_draws_too_and_undo_takes_the_last_stroke_back(drawing):
    small = [[(x / 2 + 90, y / 2 + 20) for x, y in stroke] for stroke in DIGITS[4]]
    assert drawn(drawing, small, "touch")["text"] == "This is a 4."
    drawing.value("document.getElementById('undo').click()")
    drawing.wait_for("strokes.length === 1")
    drawing.value("document.getElementById('undo').click()")
    drawing.wait_for("answer.textContent === 'Draw something.'")


def test_the_page_is_as_the_picture_in_the_docs_shows_it(drawing):
    drawn(drawing, DIGITS[5])
    picture = drawing.picture()
    if os.environ.get("LAMINA_PICTURE"):
        Path(os.environ["LAMINA_PICTURE"]).write_bytes(picture)
    shown = EXAMPLE.parents[1] / "docs" / "images" / "browser.png"
    assert struct.unpack(">II", picture[16:24]) == struct.unpack(">II", shown.read_bytes()[16:24]) == (760, 540)
    assert shown.stat().st_size < 60_000


def test_with_weights_in_fewer_bytes(folder, found):
    make = runpy.run_path(str(EXAMPLE / "make.py"))
    make["main"]([str(folder / "digits.keras"), "--folder", str(folder / "small"), "--quantization", "uint8"])
    (weights,) = (folder / "small" / "model").glob("*.bin")
    assert weights.stat().st_size < 12_000
    said = lamina.load_model(folder / "small" / "model").predict(inputs(found), verbose=0)
    assert said.argmax(1).tolist() == list(DIGITS)


def test_a_model_of_something_else_is_refused(tmp_path):
    make = runpy.run_path(str(EXAMPLE / "make.py"))
    for units, pixels, message in ((3, 64, "from 64 pixels to 10"), (10, 64, "softmax"), (10, 50, "from 64 pixels")):
        lamina.Sequential([lamina.layers.Dense(units, input_shape=(pixels,))]).save(tmp_path / "other.keras")
        with pytest.raises(SystemExit, match=message):
            make["main"]([str(tmp_path / "other.keras"), "--folder", str(tmp_path / "none")])
    assert not (tmp_path / "none").exists()


def test_a_page_without_its_model_says_so(drawing, folder):
    (folder / "digits-page" / "model" / "model.json").rename(folder / "model.json")
    drawing.value("location.reload()")
    drawing.wait_for("document.getElementById('answer')?.textContent.startsWith('This page cannot work')")
    assert "model.json" in drawing.value("answer.textContent")
