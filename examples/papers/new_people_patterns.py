"""
What decoders of new people look at
===================================

Scalp patterns of CSP, a tangent space, slow potentials and MIN2Net, each fitted on everybody::

    python examples/papers/new_people_patterns.py --data FOLDER

``FOLDER`` holds imagined left and right fists of PhysioNet's EEG Motor Movement/Imagery set;
without it simulated people stand in. The table says where each map is lowest and highest, and how
far the two hemispheres are opposite.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import warnings
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from _across_subjects import RHYTHMS, WHOLE, people, pipelines, signal_of
from _study import add_arguments, write_table
from sklearn.base import BaseEstimator

from skbci import EEGArray
from skbci.augmentation import Mirror
from skbci.baselines import tangent_space_lr
from skbci.display import PatternDisplay
from skbci.evaluation import spatial_patterns

CSP, TANGENT = "CSP + LDA", "tangent space + LR"
SLOW, NETWORK = "slow potentials + LR", "MIN2Net: AlphaGrad, led (ours)"
#: Decoder, its signal, and how many of its maps are shown, from the first.
SHOWN = ((CSP, RHYTHMS, 2), (TANGENT, RHYTHMS, 1), (SLOW, WHOLE, 8), (NETWORK, WHOLE, 2),
         (NETWORK, RHYTHMS, 2))
PROTOCOL = """\
{people} people, {rows} rows; every decoder is fitted on all rows, each person aligned by
their own. CSP: patterns of the filters of the largest and the smallest eigenvalue. Tangent space:
pattern (Haufe) of the logistic regression as a change of each channel's power, second class less
first. Slow potentials: the same for the mean of each window. MIN2Net: gradient of a class's logit
times the signal, mean over the rows of that class. *Opposite*: minus the correlation of a map with
itself when left and right are exchanged; 1 where the hemispheres are each other's negative.
Classes: {classes}."""


def opposite(patterns: pd.Series) -> float:
    """Minus the correlation of a map with its mirror image."""
    values = patterns.to_numpy(float)
    mirrored = Mirror(ch_names=list(patterns.index)).exchange(values[None, :, None]).ravel()
    return -float(np.corrcoef(values, mirrored)[0, 1])


def decoder(name: str, signal: str, quick: bool) -> BaseEstimator:
    """One of the decoders, to be fitted."""
    if name == TANGENT:
        return tangent_space_lr(fmin=8.0, fmax=30.0, tmin=0.5, tmax=3.5, alignment="riemannian")
    made = pipelines(signal)[name][1](0)
    return made.set_params(**{f"{made.steps[-1][0]}__max_epochs": 2}) if (
        quick and name == NETWORK) else made


def maps_of(name: str, signal: str, X: EEGArray, y: np.ndarray, quick: bool) -> pd.DataFrame:
    """The patterns of a decoder that is fitted on all rows."""
    rows = signal_of(X, signal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Any = decoder(name, signal, quick).fit(rows, y)
        return spatial_patterns(model, rows, y)


def draw(maps: dict[tuple[str, str], pd.DataFrame], path: str) -> None:
    """Draw the maps: those of successive windows in a row of their own."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(12, 4.6), layout="constrained")
    upper, lower = figure.subfigures(2, 1)
    above = {key: frame for key, frame in maps.items() if key[0] != SLOW}
    parts = upper.subfigures(1, len(above), width_ratios=[len(f) + 0.4 for f in above.values()])
    for part, (key, frame) in [*zip(parts, above.items()), (lower, (
            (SLOW, WHOLE), maps[SLOW, WHOLE]))]:
        name, signal = key
        part.suptitle(f"{name.split(':')[0]}, {signal}", fontsize="medium")
        axes = np.atleast_1d(part.subplots(1, len(frame)))
        PatternDisplay(patterns=frame).plot(axes=axes, shared_scale=name == SLOW)
        for ax, label in zip(axes, frame.index):
            ax.set_title(title_of(str(label)), fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def title_of(label: str) -> str:
    """Short words over a map."""
    window = re.search(r"_([\d.]+)-([\d.]+)s$", label)
    if window:
        return f"{1000 * float(window[1]):.0f} to {1000 * float(window[2]):.0f} ms"
    return label.replace("_", " ").replace(" - ", "\n\N{MINUS SIGN} ")


def main(argv: list[str] | None = None) -> pd.DataFrame:
    """Fit, draw, and say where the maps are lowest and highest."""
    matplotlib.use("Agg")
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    add_arguments(parser)
    args = parser.parse_args(argv)
    start = time.perf_counter()
    X, y = people(args.data, args.quick)
    maps = {
        (name, signal): maps_of(name, signal, X, y, args.quick).head(n)
        for name, signal, n in SHOWN
    }
    table = pd.DataFrame([
        {"decoder": name, "signal": signal, "map": label, "lowest": row.idxmin(),
         "highest": row.idxmax(), "opposite": opposite(row)}
        for (name, signal), frame in maps.items() for label, row in frame.iterrows()
    ])
    suffix = "_quick" if args.quick else ""
    stem = args.output / f"new_people_patterns{suffix}"
    print(write_table(table, stem, "What decoders of new people look at", PROTOCOL.format(
        people=len(np.unique(X.metadata["subject"])), rows=len(X),
        classes=", ".join(np.unique(y).tolist())), digits=2))
    draw(maps, f"{stem}.png")
    print(f"Picture: {stem}.png")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    return table


if __name__ == "__main__":
    main()
