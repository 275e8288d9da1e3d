"""The built site in a browser, as wide as a desk's screen and as a telephone's."""

from __future__ import annotations

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

SITE = Path(__file__).resolve().parents[1] / "docs" / "_build"
ACCURACY = 2  # the column of the first table that is sorted by a click
WIDTHS = {"desktop": 1280, "telephone": 390}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Opens page after page in a frame of each width, and writes what it saw into the document.
PROBE = """<!doctype html><title>probe</title><body><script>
const seen = [], pages = %(pages)s, widths = %(widths)s;
const wait = ms => new Promise(done => setTimeout(done, ms));
async function open_page(page, width) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:900px;border:0`;
  document.body.append(frame);
  await new Promise(done => { frame.onload = done; frame.src = page; });
  const inside = frame.contentDocument;
  for (const image of inside.images) image.loading = "eager";
  for (let n = 0; n < 50 && [...inside.images].some(i => !i.complete); n++) await wait(20);
  return [frame, inside];
}
(async () => {
  for (const page of pages) for (const width of widths) {
    const [frame, inside] = await open_page(page, width);
    // The article has a frame of its own: what scrolls there does not show in the page's width.
    const frames = [inside.documentElement, inside.body,
                    ...inside.querySelectorAll(".bd-main, .bd-content, .bd-article-container")];
    const header = inside.querySelector(".bd-header");
    seen.push({page, width,
      too_wide: Math.max(...frames.map(one => one.scrollWidth - one.clientWidth)),
      header: header ? header.offsetHeight : 0,
      missing: [...inside.images].filter(i => !i.naturalWidth).map(i => i.getAttribute("src")),
      raw: [...inside.querySelectorAll("span.math, div.math")]
        .filter(m => !m.querySelector("mjx-container")).length,
    });
    frame.remove();
  }
  const [frame, inside] = await open_page("search.html?q=AlphaGrad", 1280);
  const found = () => [...inside.querySelectorAll("#search-results li a")].map(a => a.textContent);
  for (let n = 0; n < 100 && !found().length; n++) await wait(50);
  const [, sorted] = await open_page("choosing.html", 1280);
  const table = sorted.querySelector("table.sortable"), column = %(column)d;
  const values = () => [...table.tBodies[0].rows].map(row => row.cells[column].textContent.trim());
  const click = () => table.tHead.rows[0].cells[column].querySelector("button").click();
  const orders = [click, click].map(press => { press(); return values(); });
  const out = document.createElement("pre");
  out.id = "seen";
  out.textContent = JSON.stringify({pages: seen, found: found(), orders});
  document.body.replaceChildren(out);
})();
</script></body>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site, and the probe beside it."""

    probe = b""

    def do_GET(self):
        if self.path != "/probe.html":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.probe)
        return None

    def log_message(self, *args):
        pass


def pages_of(site):
    """Pages that people read, by their paths; of the reference one of each kind."""
    found = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    left_out = re.compile(r"^(_static/|_modules/|generated/skbci\.\w+\.|(search|genindex)\.html)")
    return [page for page in found if not left_out.match(page)] + [
        "generated/skbci.weighting.AlphaGrad.html", "generated/skbci.stream.OnlineDecoder.html"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    if not (SITE / "index.html").exists():
        pytest.skip("the site is not built: run `sphinx-build docs docs/_build`")
    probe = PROBE % {"pages": json.dumps(pages_of(SITE)), "column": ACCURACY,
                     "widths": json.dumps(list(WIDTHS.values()))}
    Quiet.probe = probe.encode()
    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom",
             "--window-size=1400,1000", "--virtual-time-budget=600000",
             f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
             f"http://127.0.0.1:{server.server_address[1]}/probe.html"],
            capture_output=True, text=True, timeout=300)
        server.shutdown()
    told = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told, done.stderr[-2000:]
    return json.loads(html.unescape(told[1]))


@pytest.mark.parametrize("width", WIDTHS.values(), ids=list(WIDTHS))
def test_pages_fit_the_screen(seen, width):
    pages = [page for page in seen["pages"] if page["width"] == width]
    assert len(pages) > 30
    assert not {page["page"]: page["too_wide"] for page in pages if page["too_wide"] > 1}


@pytest.mark.parametrize("width", WIDTHS.values(), ids=list(WIDTHS))
def test_the_header_is_one_line(seen, width):
    heights = {page["header"] for page in seen["pages"] if page["width"] == width}
    assert 0 < max(heights) <= 80


def test_every_picture_is_there(seen):
    assert not {page["page"]: page["missing"] for page in seen["pages"] if page["missing"]}


def test_equations_are_set(seen):
    assert not {page["page"]: page["raw"] for page in seen["pages"] if page["raw"]}


def test_search_finds_a_class(seen):
    assert any("AlphaGrad" in title for title in seen["found"])


def test_a_click_sorts_a_table(seen):
    down, up = ([float(value) for value in values] for values in seen["orders"])
    assert len(down) > 3
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
