"""The JavaScript of docs/export.md and docs/from-tensorflowjs.md runs in Node.js, beside models that lamina writes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import lamina
from interop.tensorflowjs import node, node_modules
from lamina import layers

DOCS = Path(__file__).resolve().parents[2] / "docs"
TENSORFLOW = "import * as tf from '@tensorflow/tfjs';\n"
LOADING = """import {readFileSync} from 'node:fs';
tf.env().platform.fetch = async path => new Response(readFileSync(path));
"""
SAVING = """tf.io.registerSaveRouter(address => String(address).startsWith('downloads://')
  ? tf.io.withSaveHandler(async model => { console.log('saved', model.weightSpecs.length); return {}; }) : null);
const xs = tf.ones([16, 4]), ys = tf.ones([16, 1]);
"""


def javascript(page):
    return re.findall(r"^```js\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(program, folder):
    """Runs a module in a folder, with the TensorFlow.js of the tests."""
    (folder / "node_modules").symlink_to(node_modules(), target_is_directory=True)
    (folder / "page.mjs").write_text(program, encoding="utf-8")
    done = subprocess.run([node(), "page.mjs"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_program_of_from_tensorflowjs(tmp_path):
    (program,) = javascript("from-tensorflowjs.md")
    assert "saved 4" in run(TENSORFLOW + SAVING + program, tmp_path)


def test_an_exported_model_is_loaded_as_the_page_says(tmp_path):
    loading, _ = javascript("export.md")
    lamina.Sequential([layers.Dense(2, input_shape=(3,))]).export(tmp_path / "web" / "model")
    said = run(TENSORFLOW + LOADING + loading + "console.log(model.countParams());", tmp_path)
    assert said.split()[-1] == "8"


def test_classes_are_registered_as_the_page_says(tmp_path):
    _, registering = javascript("export.md")
    lamina.Sequential([layers.GroupNormalization(2, input_shape=(4,))]).export(tmp_path)
    loading = "const model = await tf.loadLayersModel('./model.json'); console.log(model.layers.at(-1).getClassName());"
    said = run(registering + LOADING + loading, tmp_path)
    assert said.split()[-1] == "GroupNormalization"
