"""The runner of recorded calls: on each backend, and on recordings made to be wrong."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from vectors.records import default_folder

RUN = Path(__file__).with_name("run.py")
ONE, TWO = ({"dtype": "float32", "shape": [1], "data": [x]} for x in (1.0, 2.0))


def run_apart(*arguments: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as it is called from a shell."""
    places = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, str(RUN), str(folder), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": places}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command chooses a backend, looks into its own folder for modules, and lets NumPy be silent."""
    monkeypatch.setattr(sys, "path", [str(RUN.parent), *sys.path])
    with lamina.backend_scope("numpy"), np.errstate():
        yield


def run(*arguments: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command in this process: what it returns, and what it writes."""
    from vectors.run import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code: Any = main([str(folder), *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code
        except Exception:
            code = 1
            traceback.print_exc()
    return subprocess.CompletedProcess(["run.py"], code, out.getvalue(), err.getvalue())


SUITES = {"tensorflow.js": default_folder(), "keras": default_folder().parent / "keras_vectors"}
SHARE = re.compile(r"(\w+): (\d+) records(?:, (\d+) about what is not offered)?, (\d+) listed")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("suite", SUITES)
def test_recorded_calls_agree(suite: str, backend: str) -> None:
    pytest.importorskip(backend)
    if not (SUITES[suite] / "layers.jsonl.gz").exists():
        pytest.skip(f"there are no recordings at {SUITES[suite]}")
    others = "LAMINA_VECTORS" in os.environ  # the list was made from the usual recordings
    done = run_apart("--backend", backend, *([] if others else ["--strict"]), folder=SUITES[suite])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")
    assert_budget(done.stdout)


def assert_budget(report: str) -> None:
    """At most 3 % of the results are listed as disagreements, and 20 % of the errors."""
    for errors, most in ((False, 0.03), (True, 0.2)):
        rows = [row for row in SHARE.findall(report) if row[0].endswith("_errors") == errors]
        count = sum(int(records) - int(absent or 0) for _, records, absent, _ in rows)
        listed = sum(int(row[3]) for row in rows)
        assert listed <= most * count, f"{listed} of {count} are listed"


def recordings(folder: Path, **records: list[dict[str, Any]]) -> Path:
    for kind in ("ops", "grads", "op_errors"):
        with gzip.open(folder / f"{kind}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records.get(kind, []))
    return folder


def squared(value: float, **more: Any) -> dict[str, Any]:
    return {"id": "a", "op": "square", "args": [TWO], "result": {**TWO, "data": [value]}, **more}


def listing(folder: Path, **rule: str) -> Path:
    text = "".join(f"{key} = {value}\n" for key, value in rule.items())
    (folder / "listed.toml").write_text(f"[[rule]]\n{text}", encoding="utf-8")
    return folder / "listed.toml"


def test_a_right_and_a_wrong_result(tmp_path: Path) -> None:
    done = run(folder=recordings(tmp_path, ops=[squared(4.0), squared(4.1, id="wrong")]))
    assert done.returncode == 1
    assert "square: 1 passed, 1 failed" in done.stdout
    assert "ops wrong: result: [4.], recorded [4.1]" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"


@pytest.mark.parametrize("change", [{"dtype": "int32"}, {"shape": [1, 1]}])
def test_dtype_and_shape_count(tmp_path: Path, change: dict[str, Any]) -> None:
    record = squared(4.0, result={**TWO, "data": [4], **change})
    assert run(folder=recordings(tmp_path, ops=[record])).returncode == 1


def test_unknown_ops_fail(tmp_path: Path) -> None:
    done = run(folder=recordings(tmp_path, ops=[squared(4.0, op="noSuchOp")]))
    assert done.returncode == 1
    assert "noSuchOp: 0 passed, 1 failed" in done.stdout


def test_errors_must_be_raised_by_lamina(tmp_path: Path) -> None:
    error = {"type": "Error", "message": "no"}
    shapes = {
        "id": "e",
        "op": "add",
        "args": [{**ONE, "shape": [2], "data": [1, 2]}, {**ONE, "shape": [3], "data": [1] * 3}],
    }
    assert run(folder=recordings(tmp_path, op_errors=[{**shapes, "error": error}])).returncode == 0
    accepted = {"id": "e", "op": "add", "args": [ONE, TWO], "error": error}
    done = run(folder=recordings(tmp_path, op_errors=[accepted]))
    assert done.returncode == 1
    assert "nothing was raised" in done.stdout


def gradient(value: float, **more: Any) -> dict[str, Any]:
    return {
        "id": "g",
        "op": "square",
        "args": [TWO],
        "wrt": [[0]],
        "cotangents": [{"path": [], "cotangent": ONE}],
        "grads": [{"wrt": [0], "grad": {**ONE, "data": [value]}}],
        **more,
    }


def test_gradients(tmp_path: Path) -> None:
    assert run(folder=recordings(tmp_path, grads=[gradient(4.0)])).returncode == 0
    assert run(folder=recordings(tmp_path, grads=[gradient(3.0)])).returncode == 1


def test_a_disagreement_needs_a_failing_record_and_its_proof(tmp_path: Path) -> None:
    rule = {"kind": '"grads"', "ops": '["square"]', "reason": '"a mistake there"', "proof": '"differences"'}
    listed = listing(tmp_path, **rule)
    assert run("--disagreements", listed, folder=recordings(tmp_path, grads=[gradient(3.0)])).returncode == 0
    agreeing = recordings(tmp_path, grads=[gradient(4.0)])
    assert run("--disagreements", listed, folder=agreeing).returncode == 0
    done = run("--disagreements", listed, "--strict", folder=agreeing)
    assert done.returncode == 1
    assert "passes, but disagreements.toml lists it" in done.stdout


def test_rules_are_not_for_single_records(tmp_path: Path) -> None:
    listed = listing(tmp_path, kind='"ops"', ops='["square"]', reason='"r"', proof='"p"', id='"a"')
    assert run("--disagreements", listed, folder=recordings(tmp_path, ops=[squared(1.0)])).returncode != 0


def test_a_folder_without_recordings(tmp_path: Path) -> None:
    done = run(folder=tmp_path)
    assert done.returncode == 2
    assert "there are no recordings" in done.stderr


# -- the kinds beyond ops ------------------------------------------------------------------------------------------


def recorded_as(folder: Path, file: str, *records: dict[str, Any]) -> Path:
    with gzip.open(folder / f"{file}.jsonl.gz", "wt", encoding="utf-8") as written:
        written.writelines(json.dumps(record) + "\n" for record in records)
    return folder


def array(*values: float) -> dict[str, Any]:
    return {"dtype": "float32", "shape": [1, len(values)], "data": list(values)}


def dense(value: float, **config: Any) -> dict[str, Any]:
    weights = [{"name": "d/kernel", "trainable": True, "dtype": "float32", "shape": [2, 1], "data": [1.0, 10.0]}]
    settings = {"units": 1, "useBias": False, "name": "d", **config}
    grads = [{"wrt": ["inputs"], "grad": array(3.0, 30.0)}]
    return {
        "id": "d", "kind": "apply", "className": "Dense", "config": settings,
        "inputs": array(1.0, 2.0), "kwargs": {}, "weights": weights, "output": array(value),
        "computed_output_shape": [1, 1],
        "vjp": {"cotangents": [{"path": [], "cotangent": array(3.0)}], "grads": grads},
    }  # fmt: skip


def keras_dense(value: float, **config: Any) -> dict[str, Any]:
    settings = {"name": "d", "trainable": True, "units": 1, "activation": "linear", "use_bias": False, **config}
    weights = [{"name": "kernel", "trainable": True, "dtype": "float32", "shape": [2, 1], "data": [1.0, 10.0]}]
    return {
        "id": "d", "class_name": "Dense", "config": settings, "input_structure": "single", "inputs": array(1.0, 2.0),
        "call_kwargs": {}, "weights": weights, "computed_output_shape": [1, 1],
        "runs": [{"training": False, "outputs": array(value)}],
    }  # fmt: skip


@pytest.mark.parametrize("made", [dense, keras_dense])
def test_a_right_and_a_wrong_layer(tmp_path: Path, made: Any) -> None:
    assert run(folder=recorded_as(tmp_path, "layers", made(21.0))).returncode == 0
    done = run(folder=recorded_as(tmp_path, "layers", made(21.1)))
    assert done.returncode == 1
    assert "output: [21.], recorded [21.1]" in done.stdout


def test_a_wrong_gradient_of_a_layer(tmp_path: Path) -> None:
    record = dense(21.0)
    record["vjp"]["grads"][0]["grad"] = array(3.0, 31.0)
    done = run(folder=recorded_as(tmp_path, "layers", record))
    assert done.returncode == 1
    assert "gradient of inputs: [30.], recorded [31.]" in done.stdout


def test_settings_of_keras_have_to_be_in_the_config(tmp_path: Path) -> None:
    done = run(folder=recorded_as(tmp_path, "layers", keras_dense(21.0, kernel_initializer=None, lora_rank=None)))
    assert done.returncode == 0
    done = run(folder=recorded_as(tmp_path, "layers", keras_dense(21.0, units=1.5)))
    assert done.returncode == 1


def test_unknown_classes_fail_unless_a_rule_says_so(tmp_path: Path) -> None:
    record = {**keras_dense(21.0), "class_name": "NoSuchLayer"}
    folder = recorded_as(tmp_path, "layers", record)
    assert run(folder=folder).returncode == 1
    rule = {"kind": '"keras_layers"', "classes": '["NoSuchLayer"]', "reason": '"later"', "proof": '"not_offered"'}
    done = run("--disagreements", listing(tmp_path, **rule), folder=folder)
    assert done.returncode == 0
    assert "keras_layers: 1 records, 1 about what is not offered, 0 listed" in done.stdout


def test_what_is_offered_cannot_be_called_otherwise(tmp_path: Path) -> None:
    rule = {"kind": '"keras_layers"', "classes": '["Dense"]', "reason": '"later"', "proof": '"not_offered"'}
    done = run("--disagreements", listing(tmp_path, **rule), folder=recorded_as(tmp_path, "layers", keras_dense(20.0)))
    assert done.returncode == 1
    assert "the proof of its disagreement fails" in done.stdout


def test_a_proof_of_one_word_has_to_exist(tmp_path: Path) -> None:
    rule = {"kind": '"layers"', "classes": '["Dense"]', "reason": '"because"', "proof": '"trust"'}
    done = run("--disagreements", listing(tmp_path, **rule), folder=recorded_as(tmp_path, "layers", dense(21.0)))
    assert done.returncode != 0
    assert "'trust' is no proof that can be run" in done.stderr


def test_a_kind_that_is_not_there(tmp_path: Path) -> None:
    done = run("--kinds", "models", folder=recorded_as(tmp_path, "layers", dense(21.0)))
    assert done.returncode == 2
    assert "there are no models" in done.stderr


@pytest.mark.parametrize(("result", "code"), [(2.5, 0), (2.6, 1)])
def test_losses(tmp_path: Path, result: float, code: int) -> None:
    args = [array(1.0, 2.0), array(2.0, 4.0)]
    record = {"id": "l", "kind": "loss", "name": "meanSquaredError", "args": args, "result": {**ONE, "data": [result]}}
    assert run(folder=recorded_as(tmp_path, "losses_metrics", record)).returncode == code


@pytest.mark.parametrize(("after", "code"), [(0.9, 0), (0.8, 1)])
def test_optimizers(tmp_path: Path, after: float, code: int) -> None:
    step = {"names": ["w"], "before": [ONE], "grads": [ONE], "after": [{**ONE, "data": [after]}]}
    record = {"id": "o", "className": "SGD", "config": {"learningRate": 0.1}, "steps": [step]}
    assert run(folder=recorded_as(tmp_path, "optimizers", record)).returncode == code


@pytest.mark.parametrize(("value", "code"), [(21.0, 0), (22.0, 1)])
def test_models(tmp_path: Path, value: float, code: int) -> None:
    config = {"units": 1, "use_bias": False, "name": "d", "batch_input_shape": [None, 2]}
    topology = {
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [{"class_name": "Dense", "config": config}]},
    }
    record = {"id": "m", "kind": "predict", "topology": topology, "weights": dense(0.0)["weights"], "args": {},
              "inputs": array(1.0, 2.0), "outputs": array(value)}  # fmt: skip
    assert run(folder=recorded_as(tmp_path, "models", record)).returncode == code


def test_the_budget() -> None:
    assert_budget("ops: 100 records, 3 listed as disagreements\nop_errors: 10 records, 2 listed as disagreements")
    with pytest.raises(AssertionError):
        assert_budget("ops: 100 records, 50 about what is not offered, 2 listed as disagreements")
