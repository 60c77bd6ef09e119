"""The runner of recorded calls: on each backend, and on recordings made to be wrong."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vectors.records import default_folder

RUN = Path(__file__).with_name("run.py")
ONE, TWO = ({"dtype": "float32", "shape": [1], "data": [x]} for x in (1.0, 2.0))


def run(*arguments: Any, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    places = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, str(RUN), *([str(folder)] if folder else []), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": places}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_recorded_calls_agree(backend: str) -> None:
    pytest.importorskip(backend)
    if not (default_folder() / "ops.jsonl.gz").exists():
        pytest.skip(f"there are no recordings at {default_folder()}")
    done = run("--backend", backend, "--kinds", "ops,grads,op_errors")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")


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
    done = run("--disagreements", listed, folder=recordings(tmp_path, grads=[gradient(4.0)]))
    assert done.returncode == 1
    assert "passes, but disagreements.toml lists it" in done.stdout


def test_rules_are_not_for_single_records(tmp_path: Path) -> None:
    listed = listing(tmp_path, kind='"ops"', ops='["square"]', reason='"r"', proof='"p"', id='"a"')
    assert run("--disagreements", listed, folder=recordings(tmp_path, ops=[squared(1.0)])).returncode != 0


def test_a_folder_without_recordings(tmp_path: Path) -> None:
    done = run(folder=tmp_path)
    assert done.returncode == 2
    assert "there are no recordings" in done.stderr
