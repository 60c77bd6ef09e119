"""Makes ``benchmarks`` importable: it is no part of the distribution and is run from the repository's root."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))
