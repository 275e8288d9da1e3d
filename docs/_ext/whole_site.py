"""Look at the pages that were built: every link and picture is there, and needs no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["faults", "setup"]

# What a browser fetches by itself when it opens the page.
_FETCHED = {("img", "src"), ("script", "src"), ("iframe", "src"), ("source", "src"),
            ("video", "src"), ("link", "href")}
# The gallery's small picture of a story; the first large one has the same name and a number.
_THUMBNAIL = re.compile(r"(sphx_glr_.+)_thumb\.\w+")


class _Page(HTMLParser):
    """What a page refers to, and the names of its places."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.references: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note names and references."""
        values = {name: value or "" for name, value in attrs}
        self.places.update(values[name] for name in ("id", "name") if name in values)
        for name in ("href", "src"):
            if name in values and values.get("rel") not in ("canonical",):
                self.references.append((tag, name, values[name]))


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def faults(root: Path) -> Iterator[str]:
    """Yield what is wrong with a built site.

    Parameters
    ----------
    root : Path
        Its folder.

    Yields
    ------
    str
        A page and its fault: a link to a page or to a place that is not there, a picture that is
        missing or stands in for one, a file that is fetched from elsewhere.
    """
    root = root.resolve()
    pages = {path: _read(path) for path in sorted(root.rglob("*.html"))
             if "_static" not in path.relative_to(root).parts}
    for path, page in pages.items():
        for tag, name, reference in page.references:
            fault = _fault(root, path, pages, tag, name, reference)
            if fault:
                yield f"{path.relative_to(root)}: {fault}"


def _fault(
    root: Path, path: Path, pages: dict[Path, _Page], tag: str, name: str, reference: str
) -> str | None:
    parts = urlsplit(reference)
    if parts.scheme or parts.netloc:
        fetched = (tag, name) in _FETCHED and parts.scheme != "data"
        return f"{reference} is fetched from elsewhere" if fetched else None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target = target / "index.html"
    if not target.is_relative_to(root) or not target.is_file():
        return f"{reference} is not there"
    small = _THUMBNAIL.fullmatch(target.name)
    if small and not any(target.parent.glob(f"{small[1]}_001.*")):
        return f"{reference} stands in for a picture"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
        return f"{reference}: the page has no such place"
    return None


def _check(app, exception) -> None:
    from sphinx.errors import SphinxError

    if exception is None and app.builder.name == "html":
        found = list(faults(Path(app.outdir)))
        if found:
            raise SphinxError("the built site is not whole:\n" + "\n".join(found))


def setup(app) -> dict[str, bool]:
    """Check at the end of a build."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
