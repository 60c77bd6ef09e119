"""Where a platform keeps a user's data and downloads. Nothing is made here; the only file read is the user's own."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

_DOWNLOADS_LINE: Final = re.compile(r'^XDG_DOWNLOAD_DIR="(\$HOME)?(/[^"\n]*)"', re.MULTILINE)


def home() -> str:
    """The folder of lamina's data of this user: ``LAMINA_HOME``, else the platform's place for it."""
    chosen = os.environ.get("LAMINA_HOME")
    if chosen:
        return chosen
    user = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(user, "AppData", "Local"), "lamina")
    if sys.platform == "darwin":
        return os.path.join(user, "Library", "Application Support", "lamina")
    return os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.join(user, ".local", "share"), "lamina")


def downloads() -> str:
    """The user's download folder: ``LAMINA_DOWNLOADS``, else what the desktop was told, else ``Downloads``."""
    user = os.path.expanduser("~")
    return os.environ.get("LAMINA_DOWNLOADS") or _told(user) or os.path.join(user, "Downloads")


def _told(user: str) -> str | None:
    """The folder that the user chose in the settings of the desktop, if any."""
    if sys.platform == "win32":
        return _windows_downloads()
    if sys.platform == "darwin":
        return None
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(user, ".config")
    try:
        with open(os.path.join(settings, "user-dirs.dirs"), encoding="utf-8", errors="surrogateescape") as file:
            found = _DOWNLOADS_LINE.search(file.read(1 << 16))
    except OSError:
        return None
    return (user if found[1] else "") + found[2] if found else None


def _windows_downloads() -> str | None:
    if sys.platform != "win32":
        return None
    import winreg

    folders = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, folders) as key:
            value, _ = winreg.QueryValueEx(key, "{374DE290-123F-4565-9164-39C4925E467B}")
    except OSError:
        return None
    return os.path.expandvars(str(value))
