"""Puts the npm packages of the lock file into a folder: ``python tests/interop/install.py FOLDER``.

Does nothing where they are there already; of two at once, one wins. Where npm is missing it ends with a message that
says what to install.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = "package-lock.json"
STAMP = ".installed-lock.json"


def install(folder: Path) -> None:
    target = folder / "node_modules"
    if _is_current(target):
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        sys.exit(
            "The tests against TensorFlow.js need Node.js with npm, which is not installed.\n"
            "Install it (Debian: apt-get install nodejs npm), or leave those tests out: tox --skip-env 'node|browser'."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".npm-", ignore_cleanup_errors=True) as place:
        made = _made(npm, Path(place))
        try:
            if target.exists():
                target.rename(Path(place) / "before")
            made.rename(target)
        except OSError:
            if not _is_current(target):  # else another one was faster
                raise


def _is_current(target: Path) -> bool:
    stamp = target / STAMP
    return stamp.exists() and filecmp.cmp(stamp, HERE / LOCK, shallow=False)


def _made(npm: str, place: Path) -> Path:
    """The packages, as the lock file says, in a folder of their own."""
    for name in ("package.json", LOCK, ".npmrc"):
        shutil.copyfile(HERE / name, place / name)
    command = [npm, "ci", "--no-audit", "--no-fund"]
    if subprocess.run(command, cwd=place, check=False).returncode:
        sys.exit(f"'{' '.join(command[1:])}' failed; see above.")
    shutil.copyfile(place / LOCK, place / "node_modules" / STAMP)
    return place / "node_modules"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(Path(sys.argv[1]).resolve())
