"""The run on a GPU, where there is none: what it would run, what it keeps, and that it says so and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import gpu, implementations
from benchmarks.coordinator import Result
from benchmarks.summary import Series

XML = """<testsuites><testsuite name="pytest">
<testcase name="test_a"/><testcase name="test_b"><failure message="assert 1 == 2">...</failure></testcase>
<testcase name="test_c"><skipped type="pytest.skip" message="no"/></testcase>
<testcase name="test_d"><skipped type="pytest.xfail" message="cannot"/></testcase>
<testcase name="test_e"><error message="broken">...</error></testcase>
</testsuite></testsuites>"""


def test_the_report_of_pytest_is_counted() -> None:
    found = gpu.counted(XML)
    assert {key: found[key] for key in ("passed", "failed", "limited", "skipped")} == {
        "passed": 1, "failed": 2, "limited": 1, "skipped": 1,
    }  # fmt: skip
    assert found["failures"] == [
        {"test": "test_b", "message": "assert 1 == 2"},
        {"test": "test_e", "message": "broken"},
    ]


def test_every_run_is_known() -> None:
    assert [implementations.find(name).name for names in gpu.RUNS.values() for name in names]
    assert set(gpu.TARGETS) <= set(gpu.RUNS)


def test_without_a_device_it_says_so_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "missing", lambda target: f"nothing for {target}")
    assert gpu.main(["--results", str(tmp_path / "results")]) == 1
    said = capsys.readouterr().err
    assert "no CUDA device" in said
    assert "nothing for cupy:cuda" in said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("failed", [0, 3])
def test_all_of_it_is_kept_and_failures_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failed: int
) -> None:
    asked: list[Any] = []

    def measure(workloads: Any, runs: Any, threads: Any, rounds: int, tell: Any) -> list[Result]:
        asked.extend(run.name for run in runs)
        result = Result(workloads[0])
        result.series = [Series("lamina-torch-cuda", True, 2, [0.1, 0.2], [1.0, 1.0], 0.5)]
        return [result]

    monkeypatch.setattr(gpu, "missing", lambda target: "no cupy" if target == "cupy:cuda" else None)
    monkeypatch.setattr(gpu, "conformance", lambda target, cases: {"passed": 10, "failed": failed, "failures": []})
    monkeypatch.setattr(gpu, "measure", measure)
    assert gpu.main(["--results", str(tmp_path)]) == bool(failed)
    (path,) = tmp_path.iterdir()
    assert path.name.endswith("-gpu.json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["rehearsal"] is False
    assert asked == list(gpu.RUNS["torch:cuda"])
    assert kept["conformance"] == {
        "torch:cuda": {"passed": 10, "failed": failed, "failures": []},
        "cupy:cuda": {"not_run": "no cupy"},
    }
    assert {"gpus", "versions", "date"} <= set(kept["machine"])
    assert kept["workloads"][0]["rows"][0]["implementation"] == "lamina-torch-cuda"
    assert path.name in capsys.readouterr().out


def test_the_kit_runs_in_a_process_of_its_own() -> None:
    found = gpu.conformance("numpy:cpu", "test_there_and_back")
    assert found["passed"] == 7
    assert found["failed"] == found["skipped"] == 0
