"""Sphinx configuration: ``sphinx-build -b html docs docs/_build``."""

from __future__ import annotations

import importlib

from sphinx.ext.autosummary import AutoLink

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
default_role = "public-name"
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "skbci"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/papers/",
    "matplotlib_animations": True,
}

# Public names are unique over the rooms: `compare` alone links to skbci.evaluation.compare.
ROOMS = ("baselines", "datasets", "display", "estimators", "evaluation", "features", "losses",
         "model_selection", "nets", "optim", "sparsity", "stream", "weighting")
HOMES = {name: f"~skbci.{room}.{name}" for room in ROOMS
         for name in importlib.import_module(f"skbci.{room}").__all__} | {
    "EEGArray": "skbci.EEGArray"}
# Labels and terms of scikit-learn's own pages, in what its base classes say.
ELSEWHERE = ("accuracy_score", "r2_score", "fit")


class PublicName(AutoLink):
    """Link a public name without its room, and anything else as autosummary does."""

    def run(self):
        """Look the name up and link it."""
        self.text = HOMES.get(self.text, self.text)
        return super().run()


def leave_unlinked(app, env, node, content):
    """Give the text of what is explained elsewhere, without a link."""
    return content if node["reftarget"] in ELSEWHERE else None


def setup(app):
    """Register what is above."""
    app.add_role("public-name", PublicName())
    app.connect("missing-reference", leave_unlinked)
