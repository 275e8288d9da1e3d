"""``skbci fit``: a pipeline, fitted on all epochs and saved."""

from __future__ import annotations

import argparse
from collections import Counter

from skbci.cli._models import Model, check_model_path, save_model, spare
from skbci.cli._pipelines import make_pipelines
from skbci.cli._recordings import check_window, expand, read_files, window_settings
from skbci.cli._words import UsageError

__all__ = ["fit"]


def fit(args: argparse.Namespace) -> None:
    """Fit the pipeline and write it to ``args.output``."""
    check_window(args)
    pipelines = make_pipelines([args.pipeline], args.align)
    if len(pipelines) > 1:
        raise UsageError(f"--pipeline {args.pipeline}: name a single one.")
    ((name, pipeline),) = pipelines.items()
    files = expand(args.files)
    spare(args.output, files)
    target = check_model_path(args.output)
    X, y = read_files(files, **window_settings(args))
    if len(set(y.tolist())) < 2:
        raise ValueError(f"all epochs are of one event, {y[0]!r}; a decoder needs two or more. "
                         "--events names those to take.")
    stop = args.tmin + X.shape[2] / X.sfreq
    model = Model(pipeline, args.tmin, min(args.tmax, stop), args.resample)
    save_model(target, model.fit(X, y))
    counts = ", ".join(f"{label} x {n}" for label, n in sorted(Counter(y.tolist()).items()))
    print(f"{name}, fitted on {len(y)} epochs ({counts}), is in {target}")
