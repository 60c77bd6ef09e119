"""The README, followed by a new user: its commands and its code, word for word and in order, in a fresh environment.

The environment ``demo-torch`` of tox has PyTorch and lends it to the fresh one, where ``pip`` then finds it installed;
in ``demo-numpy`` the fresh one gets everything by the README's own commands.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shlex
import sysconfig
import tarfile
from pathlib import Path

import pytest

from package.conftest import ROOT
from package.environments import Environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_A_CHECKOUT = ("pip install", "python examples/", "LAMINA_BACKEND=")
"""How commands begin that are typed where the sources are; those of ``lamina`` come after, beside what was saved."""
LEFT_OUT = {
    "pip install tox && tox": "that is what runs this",
    "python tests/vectors/run.py path/to/vectors --backend torch": "it needs the recordings",
    "python tests/vectors/run.py path/to/keras_vectors --ops Dense,LSTM": "it needs the recordings",
    'pip install ".[torch]" jax keras && python -m benchmarks.readme': "it takes an hour",
}


def lines(language: str) -> list[str]:
    """All lines of the README's blocks in a language."""
    return [line for kind, text in BLOCK.findall(README) if kind == language for line in text.splitlines()]


def commands(*beginnings: str) -> list[str]:
    """The commands that are run, of those that begin so."""
    return [line for line in lines("sh") if line not in LEFT_OUT and line.startswith(beginnings)]


def lend(environment: Environment, name: str) -> None:
    """Gives an environment a distribution of this one, with what it needs, as if it were installed there."""
    home, wanted, known = Path(sysconfig.get_path("purelib")), [name], set()
    there = Path(environment.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    while wanted:
        dist = importlib.metadata.distribution(wanted.pop())
        if dist.name in known or dist.name == "numpy":
            continue
        known.add(dist.name)
        for top in {Path(file).parts[0] for file in dist.files or ()} - {"..", "__pycache__"}:
            if not (there / top).exists():
                (there / top).symlink_to(home / top)
        wanted += [
            re.split(r"[\s<>=!~;\[(]", need)[0]
            for need in dist.requires or ()
            if ";" not in need or _is_there(re.split(r"[\s<>=!~;\[(]", need)[0])
        ]


def _is_there(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.fixture(scope="module")
def backend():
    """The backend that the user chooses: PyTorch where the environment of the tests has it."""
    return "torch" if importlib.util.find_spec("torch") else "numpy"


@pytest.fixture(scope="module")
def checkout(built, tmp_path_factory):
    """The sources, as the source archive has them: no file of the tests' own checkout is seen."""
    folder = tmp_path_factory.mktemp("sources")
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def user(backend, tmp_path_factory):
    """The new user's environment."""
    found = Environment(tmp_path_factory.mktemp("user") / "venv")
    if backend == "torch":
        lend(found, "torch")
    return found


def typed(user, line, folder, **variables):
    """What a command says, typed in a folder."""
    done = user.run_program(line, cwd=folder, shell=True, **variables)
    assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_is_run_or_left_out_for_a_reason():
    assert sorted(lines("sh")) == sorted([*LEFT_OUT, *commands(*IN_A_CHECKOUT), *commands("lamina ")])


def test_the_readme(user, backend, checkout, tmp_path):
    for line in commands(*IN_A_CHECKOUT):
        if ("torch" in line) <= (backend == "torch"):
            said = typed(user, line, checkout)
            assert "examples/" not in line or "accuracy" in said
    session = tmp_path / "session.py"
    session.write_text("\n".join(text for kind, text in BLOCK.findall(README) if kind == "python"), encoding="utf-8")
    variables = {"LAMINA_BACKEND": backend}
    shown = typed(user, f"python -W error {shlex.quote(session.name)}", tmp_path, **variables)
    assert f"{backend!r}: None" in shown  # the backend works, as list_backends says
    for saved in ("my-model", "my-model.keras", "my-model.safetensors", "for-the-browser"):
        assert (tmp_path / saved).exists()
    for line in commands("lamina "):
        assert typed(user, line, tmp_path, **variables)
    assert (tmp_path / "my-page" / "model" / "model.json").exists()
    check_what_who_has_no_cupy_sees(user, tmp_path)
    if backend == "numpy":
        check_what_who_has_no_gpu_sees(user, checkout)


def check_what_who_has_no_cupy_sees(user, folder):
    """What to install, in the error and in the list."""
    done = user.run("-c", "import lamina; lamina.ones((2,))", LAMINA_BACKEND="cupy")
    assert done.returncode == 1
    assert f"Fix: {HOW_TO_GET_CUPY}, or choose " in done.stderr.splitlines()[-1], done.stderr
    listed = typed(user, "lamina backends", folder)
    (row,) = (line for line in listed.splitlines() if line.startswith("cupy "))
    assert HOW_TO_GET_CUPY in row


def check_what_who_has_no_gpu_sees(user, checkout):
    """CuPy is there, and a device or not: the extra is enough, or the error says what is missing and what to do."""
    typed(user, 'pip install --no-compile ".[cupy]"', checkout)
    done = user.run("-c", "import lamina; print(lamina.ones((2,)).sum().item())", LAMINA_BACKEND="cupy")
    if done.returncode == 0:
        assert done.stdout == "2.0\n"
    else:
        assert "the backend 'cupy' is not available: no CUDA device" in done.stderr
        assert done.stderr.splitlines()[-1] == "  Fix: check nvidia-smi, or use the backend numpy or torch."


HOW_TO_GET_CUPY = "pip install --upgrade 'lamina[cupy]'"
