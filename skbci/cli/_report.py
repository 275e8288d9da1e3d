"""The page that ``skbci compare --report`` writes, by `mne.Report`."""

from __future__ import annotations

import base64
import html
import io
import platform
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import mne
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import ConfusionMatrixDisplay

from skbci._process.files import replacing
from skbci._process.quiet import quiet_mne
from skbci._recording.montage import spell_electrodes, standard_montage
from skbci._version import __version__
from skbci.cli._words import by_file, in_options
from skbci.display import ComparisonDisplay, PatternDisplay
from skbci.evaluation import ConfoundReport, spatial_patterns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from skbci.cli._findings import Findings

__all__ = ["write_report"]

_CSS = """
.skbci table { border-collapse: collapse; margin: 0.5em 0; font-variant-numeric: tabular-nums; }
.skbci th, .skbci td { padding: 0.2em 0.8em; text-align: right; border-bottom: 1px solid #ddd;
                        white-space: nowrap; }
.skbci th:first-child, .skbci td:first-child { text-align: left; }
.skbci { overflow-x: auto; }
.skbci .good { border-left: 4px solid #3a9d5d; padding-left: 0.8em; }
.skbci .bad { border-left: 4px solid #d1495b; padding-left: 0.8em; }
.skbci img { max-width: 100%; height: auto; }
.skbci figcaption { color: #666; font-size: 0.9em; }
.skbci pre { white-space: pre-wrap; background: #f5f5f5; padding: 0.6em; }
@media (max-width: 767px) {
  #toc { display: none; }
  #content { width: 100%; margin-left: 0; }
}
"""
_PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "torch", "skorch", "mne", "pyriemann")
_MOST_MAPS = 6
_DPI, _CSS_DPI = 160, 88


def write_report(found: Findings, target: Path) -> Path:
    """Write the page.

    Parameters
    ----------
    found : Findings
    target : Path
        An existing file is replaced once the page is complete.

    Returns
    -------
    Path
        Of the file, absolute.
    """
    with plt.rc_context({"figure.max_open_warning": 0}), quiet_mne():
        report = mne.Report(title="skbci compare", image_format="png")
        report.add_custom_css(_CSS)
        _add(report, "Comparison", "result", _verdicts(found) + found.comparison._repr_html_())
        _add(report, "Scores", "result", _picture(_scores(found), _band_words(found)))
        _add(report, "Confusion matrices", "result", _picture(
            _confusions(found), "Test rows of all folds; each class's shares sum to one."))
        _add_patterns(report, found)
        _add(report, "Leakage", "doubt", _leakage(found)
             + _folded("Every fold", found.leakage._repr_html_()))
        _add_confounds(report, found.confounds)
        _add(report, "Recordings", "data", _recordings(found))
        _add(report, "Repeat", "data", _repeat(found))
        _save(report, target)
    return target.resolve()


def _save(report: mne.Report, target: Path) -> None:
    """Write the page whole or not at all; `mne.Report.save` wants a name of its own."""
    with TemporaryDirectory() as folder, replacing(target) as file:
        page = Path(folder) / "page.html"
        report.save(page, open_browser=False)
        file.write(page.read_bytes())


def _add(
    report: mne.Report, title: str, tag: str, body: str, section: str | None = None
) -> None:
    report.add_html(f'<div class="skbci">{body}</div>', title, tags=(tag,), section=section)


def _picture(figure: Figure, caption: str) -> str:
    """The figure in the page; `mne.Report.add_figure` would lay it out anew."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight", facecolor="white")
    width = int.from_bytes(buffer.getvalue()[16:20], "big") * _CSS_DPI // _DPI
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode()
    words = html.escape(caption)
    return (f'<figure><img width="{width}" alt="{words}" src="data:image/png;base64,{data}">'
            f"<figcaption>{words}</figcaption></figure>")


def _coloured(text: str, is_bad: bool) -> str:
    return f'<p class="{"bad" if is_bad else "good"}">{html.escape(text)}</p>'


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{html.escape(title)}</summary>{body}</details>"


def _verdicts(found: Findings) -> str:
    confounds = found.confounds
    if isinstance(confounds, str):
        words, is_bad = confounds, True
    else:
        words, is_bad = confounds.verdict, confounds.confounded
    return (
        f"<p>{html.escape(found.split)}; {len(found.folds)} folds.</p>"
        + _leakage(found, "Leakage: ")
        + _coloured(f"Confounds: {words}", is_bad)
    )


def _leakage(found: Findings, title: str = "") -> str:
    return _coloured(title + in_options(found.leakage.verdict), found.leakage.leaks)


# -- scores ---------------------------------------------------------------------------------


def _scores(found: Findings) -> Figure:
    display = ComparisonDisplay.from_comparison(found.comparison)
    band = _chance_band(found)
    if band is not None:
        display.ax_.axvspan(*band, color="0.9", zorder=0, linewidth=0)
    return display.figure_


def _chance_band(found: Findings) -> tuple[float, float] | None:
    """Where 95 of 100 guesses of as many rows as are tested of a unit lie."""
    chance = found.comparison.chance
    if found.comparison.metric != "accuracy" or not 0 < chance < 1:
        return None
    n_rows = int(np.median(_rows_of_units(found)))
    low, high = stats.binom.interval(0.95, n_rows, chance)
    return low / n_rows, high / n_rows


def _rows_of_units(found: Findings) -> list[int]:
    """Rows that a subject's, or a fold's, score is the mean of."""
    if found.comparison.unit == "fold":
        return [len(test) for _, test in found.folds]
    tested = np.unique(np.concatenate([test for _, test in found.folds]))
    return found.X.metadata[found.comparison.unit].iloc[tested].value_counts().tolist()


def _band_words(found: Findings) -> str:
    unit = found.comparison.unit
    words = f"A point is a {unit}."
    if _chance_band(found) is not None:
        words += (f" Grey: where 95 % of random guesses lie, with as many test rows as a {unit} "
                  "has; cross-validated scores spread a little more.")
    return words


def _confusions(found: Findings) -> Figure:
    classes = np.unique(found.y)
    n_columns = min(len(found.confusions), 4)
    n_rows = -(-len(found.confusions) // n_columns)
    size = 1.6 + 0.45 * len(classes)
    figure, axes = plt.subplots(n_rows, n_columns, squeeze=False, layout="constrained",
                                figsize=(size * n_columns + 0.8, size * n_rows + 0.6))
    for ax, (name, counts) in zip(axes.flat, found.confusions.items()):
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        shown = ConfusionMatrixDisplay(shares, display_labels=classes)
        shown.plot(ax=ax, cmap="Blues", colorbar=False, values_format=".2f",
                   im_kw={"vmin": 0, "vmax": 1}, xticks_rotation=30 if len(classes) > 1 else 0)
        ax.set_title(name)
        if ax not in axes[:, 0]:
            ax.set_ylabel("")
            ax.set_yticklabels([])
    for ax in axes.flat[len(found.confusions):]:
        ax.set_axis_off()
    return figure


# -- patterns -------------------------------------------------------------------------------


def _add_patterns(report: mne.Report, found: Findings) -> None:
    """Patterns of each pipeline, fitted on the first fold's training rows, of its test rows."""
    train, test = found.folds[0]
    names = found.X.ch_names or []
    placed = [name for name, place in zip(names, spell_electrodes(names, standard_montage()))
              if place is not None]
    words = ("Fitted on the first fold's training rows, shown on its test rows; each map has its "
             "own scale.")
    if absent := [name for name in names if name not in placed]:
        words += f" Not drawn: {' '.join(absent)} (not in the 10-05 system)."
    missing = []
    for name, pipeline in found.pipelines.items():
        fitted = clone(pipeline).fit(found.X[train], found.y[train])
        try:
            patterns = spatial_patterns(getattr(fitted, "best_estimator_", fitted),
                                        found.X[test], found.y[test])
            shown = patterns[placed] if placed else patterns
            display = PatternDisplay(patterns=shown).plot(n_maps=_MOST_MAPS)
        except ValueError as error:  # no places, or no method suits
            plt.close()
            missing.append(f"{name}: {error}")
            continue
        _add(report, f"Patterns: {name}", "decoder", _picture(display.figure_, words),
             section="Patterns")
    if missing:
        body = "".join(f"<p>{html.escape(line)}</p>" for line in missing)
        _add(report, "Patterns that cannot be drawn", "decoder", body, section="Patterns")


# -- what else could have told the labels ---------------------------------------------------


def _add_confounds(report: mne.Report, confounds: ConfoundReport | str) -> None:
    if isinstance(confounds, str):
        _add(report, "Confounds", "doubt", _coloured(confounds, True))
        return
    _add(report, "Confounds", "doubt", _coloured(confounds.verdict, confounds.confounded)
         + _picture(confounds.plot(), "Accuracy of a linear decoder for each band, time window "
                    "and region. A star: significant, and not what the decoder is meant to use.")
         + _folded("Every source", confounds._repr_html_()))


# -- the data, and how to do it again -------------------------------------------------------


def _recordings(found: Findings) -> str:
    X, table = found.X, found.X.metadata
    stop = X.tmin + X.shape[2] / X.sfreq
    counts = ", ".join(f"{label} x {n}" for label, n in sorted(Counter(found.y.tolist()).items()))
    lines = [
        f"{len(X)} epochs of {table['subject'].nunique()} subjects: {counts}.",
        f"{X.shape[1]} channels ({' '.join(X.ch_names or [])}), {X.tmin:g} to {stop:g} s after "
        f"the event, at {X.sfreq:g} Hz.",
    ]
    levels = [name for name in ("subject", "session", "run") if name in table]
    by = pd.crosstab([table[name] for name in levels], found.y).reset_index()
    out = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    out += _folded("Epochs by recording", by.to_html(index=False, border=0))
    out += _folded(f"{len(found.files)} files", "<br>".join(
        html.escape(str(path)) for path in found.files))
    if found.warnings:
        said = "".join(f"<li>{html.escape(text)}</li>" for text in by_file(found.warnings))
        out += f'<div class="bad"><p>Warnings</p><ul>{said}</ul></div>'
    return out


def _repeat(found: Findings) -> str:
    versions: dict[str, Any] = {"skbci": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    rows = "".join(f"<tr><th>{name}</th><td>{text}</td></tr>" for name, text in versions.items())
    return (f"<p>In {html.escape(str(Path.cwd()))}:</p><pre>{html.escape(found.command)}</pre>"
            f"<table>{rows}<tr><th>platform</th><td>{html.escape(platform.platform())}</td></tr>"
            "</table>")
