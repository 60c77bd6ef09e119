"""Fresh virtual environments, and what is run in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


class Environment:
    """A virtual environment with variables of its own, which knows nothing of the settings of the tests' one."""

    def __init__(self, folder: Path, **variables: str) -> None:
        subprocess.run([sys.executable, "-m", "virtualenv", "--quiet", str(folder)], check=True)
        self.folder = folder
        self.programs = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.programs / "python"
        self._variables = {"LAMINA_HOME": str(folder / "home"), **variables}

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs its Python, by default in its folder."""
        return self.run_program(str(self.python), *arguments, cwd=cwd, **variables)

    def run_program(
        self, *command: str, cwd: Path | None = None, shell: bool = False, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program, its own ones being found first."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LAMINA", "VIRTUAL_ENV"))}
        kept |= {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}", **self._variables, **variables}
        return subprocess.run(
            command[0] if shell else command,
            env=kept,
            cwd=cwd or self.folder,
            shell=shell,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def install(self, *what: str) -> None:
        """Installs distributions."""
        done = self.run("-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", *what)
        assert done.returncode == 0, done.stdout + done.stderr

    def test(self, folder: Path, *options: str, **variables: str) -> None:
        """Runs the tests in a folder, from there; none may be skipped."""
        done = self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "tests", cwd=folder, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        closing = done.stdout.splitlines()[-1]
        assert " passed" in closing
        assert "skipped" not in closing
