"""The schemes of addresses that are taken, each with the library that fsspec needs for it.

It is a list, not all that fsspec knows: nothing that unpacks archives, caches on disk, or leads to this machine's own
files, memory or commands.
"""

from __future__ import annotations

from typing import Final

LIBRARIES: Final[dict[str, str | None]] = {
    "abfs": "adlfs",
    "az": "adlfs",
    "box": "boxfs",
    "dbfs": "requests",
    "dropbox": "dropboxdrivefs",
    "ftp": None,
    "gcs": "gcsfs",
    "gdrive": "gdrive_fsspec",
    "github": "requests",
    "gs": "gcsfs",
    "hdfs": "pyarrow",
    "hf": "huggingface_hub",
    "lakefs": "lakefs-spec",
    "oci": "ocifs",
    "oss": "ossfs",
    "root": "fsspec-xrootd",
    "s3": "s3fs",
    "s3a": "s3fs",
    "sftp": "paramiko",
    "smb": "smbprotocol",
    "ssh": "paramiko",
    "tos": "tosfs",
    "webdav": "webdav4",
    "webhdfs": "requests",
}

ALIASES: Final = {"abfs": "az", "gcs": "gs", "s3a": "s3", "ssh": "sftp"}
"""Two schemes for the same places."""

WITH_FOLDERS: Final = frozenset({"dbfs", "ftp", "hdfs", "sftp", "smb", "webdav", "webhdfs"})
"""Where folders are made before files are put into them; elsewhere they are parts of names, or buckets."""

RENAMES: Final = frozenset({"ftp", "sftp"})
"""Where a file grows under its name while it is written, and renaming replaces: it is written beside its place."""


def install(scheme: str) -> str:
    """How to install what a scheme needs.

    >>> install("s3"), install("ftp")
    ("pip install 'lamina[remote]' s3fs", "pip install 'lamina[remote]'")
    """
    library = LIBRARIES.get(scheme)
    return "pip install 'lamina[remote]'" + (f" {library}" if library else "")
