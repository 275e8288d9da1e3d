"""``skbci decode``: what a saved decoder says of a recording or a stream."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import mne
import numpy as np

from skbci._process.files import replacing
from skbci._recording.annotations import boundaries
from skbci._recording.projections import projected
from skbci.cli._models import Model, load_model, spare
from skbci.cli._recordings import expand, of_xdf, read_files
from skbci.cli._words import UsageError
from skbci.datasets import bids_path_of, open_recording
from skbci.stream import LSLInput, OnlineDecoder

__all__ = ["decode"]

_LSL = "lsl:"
_HOP, _CHUNK, _JITTER = 0.1, 1.0, 0.1  # seconds


def decode(args: argparse.Namespace) -> None:
    """Decode and print a line for each epoch or window."""
    spare(args.output, [args.model, args.source])
    model = load_model(args.model)
    if args.hop is not None and args.events is not None:
        raise UsageError("--events and --hop: epochs at events, or windows one after another; "
                         "choose one.")
    if args.source.startswith(_LSL):
        if args.events is not None:
            raise UsageError("--events: a stream has --markers.")
        if args.stream is not None or args.marker_stream is not None:
            raise UsageError("--stream and --marker-stream are for XDF files; a stream of the "
                             "Lab Streaming Layer is lsl:NAME, with --markers NAME.")
        if args.markers is not None and args.hop is not None:
            raise UsageError("--markers and --hop: epochs at markers, or windows one after "
                             "another; choose one.")
        _decode_stream(model, args)
    elif args.markers is not None:
        raise UsageError(f"--markers are for streams; {args.source} is a file: it has --events.")
    elif args.hop is not None:
        _decode_windows(model, args)
    else:
        _decode_epochs(model, args)


# -- epochs at events -----------------------------------------------------------------------


def _decode_epochs(model: Model, args: argparse.Namespace) -> None:
    X, y = read_files(expand([args.source]), events=args.events, tmin=model.tmin,
                      tmax=model.tmax, picks=model.ch_names_, resample=model.resample,
                      **of_xdf(args))
    _check_rate(model, X.sfreq, args.source)
    probabilities = model.decoder.predict_proba(X)
    classes = model.classes_
    said = classes[probabilities.argmax(axis=1)]
    # Epochs that do not know their onset have none, not their number.
    onsets = ([f"{onset:.3f}" for onset in X.metadata["onset"]] if "onset" in X.metadata
              else [""] * len(X))
    with _table(args.output, ["onset_s", "event", "decoded", *map(str, classes)]) as write:
        for onset, event, label, row in zip(onsets, y, said, probabilities):
            write([onset, event, label, *(f"{p:.3f}" for p in row)])
    known = np.isin(y, classes.astype(str))
    if known.any():
        hits = y[known] == said.astype(str)[known]
        print(f"{hits.sum()} of {known.sum()} epochs as their events say "
              f"({hits.mean():.3f}); honest where the decoder was not fitted on them.",
              file=sys.stderr)


def _check_rate(model: Model, sfreq: float, where: str) -> None:
    if not np.isclose(sfreq, model.sfreq_):
        raise ValueError(f"{where} has {sfreq:g} Hz, but the decoder was fitted at "
                         f"{model.sfreq_:g} Hz: record at that rate, or fit it at this one.")


# -- windows one after another --------------------------------------------------------------


def _online(model: Model, hop: float, sfreq: float, **settings: Any) -> OnlineDecoder:
    return OnlineDecoder(model.decoder, model.tmax - model.tmin, hop, sfreq=sfreq,
                         ch_names=model.ch_names_, **settings)


def _decode_windows(model: Model, args: argparse.Namespace) -> None:
    path = Path(args.source).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    raw = open_recording(path, bids_path_of(path), **of_xdf(args))
    if not isinstance(raw, mne.io.BaseRaw):
        raise ValueError(f"{path} holds epochs; --hop is for a continuous recording.")
    absent = [name for name in model.ch_names_ if name not in raw.ch_names]
    if absent:
        raise ValueError(f"{path} lacks the channels {' '.join(absent)} that the decoder takes.")
    rate = float(raw.info["sfreq"])
    _check_rate(model, rate, str(path))
    data = projected(raw).get_data(picks=model.ch_names_)
    _print_windows(model.classes_, _windows(model, args.hop, data, rate, boundaries(raw)),
                   args.output)


def _windows(
    model: Model, hop: float, data: np.ndarray, rate: float, begins: list[int]
) -> Iterator[tuple[float, np.ndarray]]:
    """Decide about windows of which none crosses one of the samples where a stretch begins."""
    step = max(1, round(_CHUNK * rate))
    for first, stop in pairwise([0, *begins, data.shape[1]]):
        chunks = (data[:, at : min(at + step, stop)] for at in range(first, stop, step))
        for time, row in _online(model, hop, rate).decode(chunks):
            yield first / rate + time, row


def _decode_stream(model: Model, args: argparse.Namespace) -> None:
    name = args.source.removeprefix(_LSL)
    with LSLInput(name, picks=model.ch_names_, markers=args.markers, unit=args.unit) as stream:
        _check_rate(model, stream.sfreq, args.source)
        settings = {"on_gap": "restart", "jitter": _JITTER}
        if args.markers is None:
            decoder = _online(model, args.hop or _HOP, stream.sfreq, **settings)
        else:
            decoder = OnlineDecoder.at_markers(
                model.decoder, model.tmin, model.tmax, sfreq=stream.sfreq,
                ch_names=model.ch_names_, **settings)
        _print_windows(decoder.classes_, decoder.decode(stream), args.output, live=True)


def _print_windows(
    classes: np.ndarray, decisions: Iterable[tuple[float, np.ndarray]], output: str | None,
    live: bool = False,
) -> None:
    with _table(output, ["time_s", "decoded", *map(str, classes)], live) as write:
        for time, row in decisions:
            write([f"{time:.3f}", classes[np.argmax(row)], *(f"{p:.3f}" for p in row)])


@contextmanager
def _table(
    output: str | None, header: list[str], live: bool = False
) -> Iterator[Callable[[list[object]], object]]:
    """Yield a function that writes a line of comma-separated values, to a file or the screen.

    A stream is written as it comes, until it is stopped; a table of a file is there whole, or what
    was there before stays.
    """
    if output is None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(header)

        def write(line: list[object]) -> None:
            writer.writerow(line)
            sys.stdout.flush()

        yield write
        return
    target = Path(output).expanduser()
    if not target.parent.is_dir():
        raise FileNotFoundError(f"--output {output}: there is no folder {target.parent}.")
    with target.open("wb") if live else replacing(target) as binary:
        file = io.TextIOWrapper(binary, newline="", encoding="utf-8", write_through=True)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        yield writer.writerow
        file.detach()
    print(f"written to {target.resolve()}", file=sys.stderr)
