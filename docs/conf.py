"""The documentation as a site: ``tox -e docs``, or ``sphinx-build -W -c docs . FOLDER``.

The pages are Markdown, and are read on a repository's page as well; so the source folder is the repository, and links
to the README and to files beside the pages are checked too. The reference of ops, layers and the rest is
generated from docstrings by ``reference.py`` beside this file, into ``docs/api``, which is no part of the
repository.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import reference  # noqa: E402 - it lies beside this file

import lamina  # noqa: E402

project = "lamina"
author = "the authors of lamina"
version = release = lamina.__version__
html_title = f"lamina {version}"
html_show_copyright = False

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "benchmarks/*.md", "plugins/*/README.md", "examples/**/README.md"]
exclude_patterns = [".*", "build", "dist", "**/node_modules", "tests"]
myst_heading_anchors = 4
nitpicky = False  # types of arguments in signatures are no links

default_role = "code"
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "logo": {"text": "lamina"},
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
}
html_sidebars = {"docs/index": []}
html_static_path = ["_static"]
html_css_files = ["lamina.css"]
html_copy_source = False
html_show_sourcelink = False


def setup(app: Any) -> None:
    """Writes the pages of the reference, before Sphinx looks for pages."""
    reference.write(HERE / "api")
    app.connect("source-read", _list_others)
    app.connect("build-finished", _lead_in)


def _list_others(app: Any, page: str, source: list[str]) -> None:
    """Pages that no section lists come at the end of the first one, so that none is lost."""
    if page == root_doc:
        listed = {line.strip() for path in HERE.glob("*.rst") for line in path.read_text(encoding="utf-8").splitlines()}
        names = sorted({path.stem for path in HERE.glob("*.md")} - listed - set(reference.ON_ONE_PAGE))
        others = [f"   {name}" for name in names]
        source[0] += "\n".join(["", ".. toctree::", "   :caption: More", "", *others, ""]) if others else ""


def _lead_in(app: Any, error: Exception | None) -> None:
    """A page at the site's top that leads to the first one."""
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "index.html").write_text(LEAD_IN, encoding="utf-8")


LEAD_IN = """<!doctype html><meta charset="utf-8"><title>lamina</title>
<meta http-equiv="refresh" content="0; url=docs/index.html"><a href="docs/index.html">lamina</a>
"""
