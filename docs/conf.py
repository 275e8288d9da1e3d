"""Sphinx configuration: ``sphinx-build -b html docs docs/_build``."""

from __future__ import annotations

import skbci

project = "skbci"
author = "The skbci developers"
copyright = "2026, The skbci developers"
release = version = skbci.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
autosummary_generate = True
numpydoc_show_class_members = False
default_role = "autolink"
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "skbci"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/papers/",
}
