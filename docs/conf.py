"""Sphinx configuration: ``sphinx-build -W docs docs/_build``, without a network."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from sphinx.ext.autosummary import AutoLink

import skbci

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skbci"
author = "The skbci developers"
copyright = "2026, The skbci developers"
release = version = skbci.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "myst_parser",
    "whole_site",
]
# Titles of the reference's pages, in the order in which data flows through the rooms.
TITLES = {
    "datasets": "Data",
    "features": "Features",
    "augmentation": "Augmentation",
    "nets": "Networks",
    "losses": "Losses",
    "optim": "Optimizers",
    "weighting": "Loss weighting",
    "sparsity": "Sparsity",
    "estimators": "Estimators",
    "baselines": "Baselines",
    "model_selection": "Splitters and searches",
    "evaluation": "Evaluation",
    "display": "Pictures",
    "stream": "Streams",
    "persistence": "Saving",
    "cli": "Command line",
}
ROOMS = [room.name for room in pkgutil.iter_modules(skbci.__path__)
         if room.ispkg and not room.name.startswith("_")]
templates_path = ["_templates"]
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autosummary_context = {"titles": {f"skbci.{room}": title for room, title in TITLES.items()}}
numpydoc_show_class_members = False
default_role = "public-name"
exclude_patterns = ["_build"]
suppress_warnings = ["myst.header", "config.cache"]
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = "skbci"
html_static_path = ["_static"]
html_css_files = ["skbci.css"]
html_js_files = ["sort.js"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skbci"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "benchmarks": [], "whats_new": []}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"papers|quickstart|stream_playback",
    "within_subsection_order": "story_order.StoryOrder",
    "parallel": 2,
    "show_memory": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "abort_on_example_error": True,
}

# Public names are unique over the rooms: `compare` alone links to skbci.evaluation.compare.
HOMES = {name: f"~skbci.{room}.{name}" for room in ROOMS
         for name in importlib.import_module(f"skbci.{room}").__all__} | {
    name: f"~skbci.{name}" for name in skbci.__all__ if name[0] != "_" and name not in ROOMS}
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


def leave_out(app, what, name, obj, skip, options):
    """Leave out of a class's page what another package says about its own methods."""
    obj = getattr(obj, "fget", None) or getattr(obj, "__objclass__", obj)
    home = getattr(obj, "__module__", None) or "skbci"
    return None if home.startswith("skbci") else True


def setup(app):
    """Register what is above."""
    app.connect("autodoc-skip-member", leave_out)
    app.add_role("public-name", PublicName())
    app.connect("missing-reference", leave_unlinked)
