"""Puts the npm packages of the lock file into a folder: ``python tests/interop/install.py FOLDER``.

Does nothing where they are there already. Ends with a message that says what to install if npm is missing.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = ("package.json", "package-lock.json", ".npmrc")
STAMP = ".installed-lock.json"


def install(folder: Path) -> None:
    stamp = folder / "node_modules" / STAMP
    if stamp.exists() and filecmp.cmp(stamp, HERE / "package-lock.json", shallow=False):
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        sys.exit(
            "The tests against TensorFlow.js need Node.js with npm, which is not installed.\n"
            "Install it (Debian: apt-get install nodejs npm), or leave those tests out: tox --skip-env 'node|browser'."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if folder != HERE:
            shutil.copyfile(HERE / name, folder / name)
    command = [npm, "ci", "--no-audit", "--no-fund"]
    if subprocess.run(command, cwd=folder, check=False).returncode:
        sys.exit(f"'{' '.join(command[1:])}' failed in {folder}; see above.")
    shutil.copyfile(folder / "package-lock.json", stamp)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(Path(sys.argv[1]).resolve())
