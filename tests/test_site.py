"""The site's own check finds what is broken; its reference has every room."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import skbci

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def faults():
    spec = importlib.util.spec_from_file_location("whole_site", DOCS / "_ext" / "whole_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.faults


def test_a_whole_site_has_no_faults(faults, tmp_path):
    (tmp_path / "guide").mkdir()
    for name in ("picture.png", "sphx_glr_plot_a_thumb.png", "sphx_glr_plot_a_001.png"):
        (tmp_path / name).touch()
    (tmp_path / "index.html").write_text(
        '<img src="sphx_glr_plot_a_thumb.png"><h1 id="top">A</h1>'
        '<a href="guide/b.html#here">b</a><img src="picture.png">'
        '<a href="https://elsewhere.org">a link may leave</a><a href="#top">up</a>')
    (tmp_path / "guide" / "b.html").write_text('<p id="here">B</p><a href="../index.html">a</a>')
    assert list(faults(tmp_path)) == []


@pytest.mark.parametrize(("html", "says"), [
    ('<a href="gone.html">x</a>', "gone.html is not there"),
    ('<a href="#gone">x</a>', "#gone: the page has no such place"),
    ('<img src="gone.png">', "gone.png is not there"),
    ('<a href="../outside.html">x</a>', "../outside.html is not there"),
    ('<script src="https://cdn.org/a.js"></script>', "https://cdn.org/a.js is fetched"),
    ('<link rel="stylesheet" href="//cdn.org/a.css">', "//cdn.org/a.css is fetched"),
    ('<img src="sphx_glr_plot_a_thumb.png">', "plot_a_thumb.png stands in for a picture"),
])
def test_faults_are_named_with_their_page(faults, tmp_path, html, says):
    (tmp_path / "sphx_glr_plot_a_thumb.png").touch()
    (tmp_path / "index.html").write_text(html)
    (fault,) = faults(tmp_path)
    assert fault.startswith("index.html: ")
    assert says in fault


def test_the_reference_has_every_room():
    rooms = {f"skbci.{room.name}" for room in pkgutil.iter_modules(skbci.__path__)
             if room.ispkg and not room.name.startswith("_")}
    listed = re.findall(r"^   (skbci\.\w+)$", (DOCS / "api.rst").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(rooms)


def test_the_citation_has_the_version_of_the_package():
    citation = (DOCS.parent / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [skbci.__version__]
