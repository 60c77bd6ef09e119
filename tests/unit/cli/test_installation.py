"""``lamina doctor`` without a model, and ``lamina.show_versions``."""

from __future__ import annotations

import os
import py_compile
import re
import subprocess
import sys

import pytest

import lamina
from architecture.sources import ROOT
from lamina.cli import installation, main


@pytest.fixture(scope="module")
def doctor():
    """Runs the doctor in a process of its own; what it prints, as (state, remark) by part, and its status."""

    def run(**variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LAMINA_")}
        command = [sys.executable, "-m", "lamina", "doctor"]
        done = subprocess.run(command, capture_output=True, text=True, env={**kept, **variables})
        assert done.stderr == ""
        rows = [re.split(" {2,}", line, maxsplit=2) for line in done.stdout.splitlines()[1:]]
        return {row[0]: (row[1], row[2] if len(row) > 2 else "") for row in rows}, done.returncode

    return run


def test_an_installation_that_works(doctor, tmp_path):
    found, status = doctor(LAMINA_HOME=str(tmp_path / "not" / "yet"), LAMINA_BACKEND="numpy")
    assert status == 0
    assert re.fullmatch(r"Python \S+, NumPy \S+", found["lamina"][1])
    assert found["backend numpy"] == ("works", "on cpu")
    assert set(lamina.list_backends()) >= {part.split()[1] for part in found if part.startswith("backend ")}
    assert re.match(r"threads: \d+, cores: \d+|how many threads", found["BLAS"][1])
    assert found["bytecode"][0] in ("works", "slow")
    assert found["store"] == ("works", str(tmp_path / "not" / "yet"))
    assert found["LAMINA_BACKEND"] == ("set", "numpy")
    assert not (tmp_path / "not").exists()


def test_what_is_broken(doctor, tmp_path):
    (tmp_path / "file").touch()
    found, status = doctor(
        LAMINA_HOME=str(tmp_path / "file" / "store"), LAMINA_PLUGINS="no_such_module", LAMINA_BAKEND="x"
    )
    assert status == 1
    state, remark = found["store"]
    assert state == "broken"
    assert remark.endswith("Not a directory; set LAMINA_HOME to a folder that may be written to")
    assert found["plugin no_such_module"] == ("broken", "ModuleNotFoundError: No module named 'no_such_module'")
    assert found["LAMINA_BAKEND"] == ("not known", "lamina does not look at it")


def test_why_a_backend_does_not_work(doctor):
    found, _ = doctor()
    for name, why in lamina.list_backends().items():
        if f"backend {name}" in found and why:  # the tests add some of their own
            state, remark = found[f"backend {name}"]
            assert (state, remark.partition(" Fix: ")[0]) == ("not available", why.partition(" Fix: ")[0])


@pytest.mark.parametrize(
    ("threads", "cores", "advice"), [(1, 4, "unset OMP_NUM_THREADS"), (4, 2, "set OMP_NUM_THREADS=2")]
)
def test_threads_that_do_not_fit_the_cores(threads, cores, advice, monkeypatch, capsys):
    blas = {"user_api": "blas", "internal_api": "openblas", "version": "1.0", "num_threads": threads}
    monkeypatch.setattr(installation.threadpoolctl, "threadpool_info", lambda: [blas])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    main(["doctor"])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("BLAS "))
    assert f"BLAS openblas 1.0 threads: {threads}, cores: {cores}" in " ".join(line.split())
    assert advice in line


def test_bytecode(monkeypatch, tmp_path, capsys):
    source = tmp_path / "lamina" / "__init__.py"
    source.parent.mkdir()
    source.write_text("")
    monkeypatch.setattr(lamina, "__file__", str(source))

    def line():
        main(["doctor"])
        (found,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("bytecode "))
        return found.split(maxsplit=2)[1:]

    assert line() == ["slow", f"imports compile anew; run once: python -m compileall -q {source.parent}"]
    py_compile.compile(str(source))
    assert line() == ["works", "1 of 1 modules are compiled"]


def test_the_variables_are_those_that_the_code_looks_at():
    sources = (path for folder in ("framework", "backends", "plugins") for path in (ROOT / folder).rglob("*.py"))
    named = {name for path in sources for name in re.findall(r"\"(LAMINA_[A-Z_]+)\"", path.read_text(encoding="utf-8"))}
    assert named == set(installation.VARIABLES)


def test_every_library_that_is_advised_comes_with_an_extra():
    wanted = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    from lamina.utils.versions import OPTIONAL

    for library, extra in OPTIONAL.items():
        name = extra.removeprefix("lamina[").removesuffix("]")
        assert re.search(rf'^{name} = \["{library}>=', wanted, re.MULTILINE), extra
