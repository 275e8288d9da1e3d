"""
Playing a recording back through the decoder
============================================

A decoder is trained on earlier runs, then the last one is played back as an amplifier would give
it: in small chunks of any size. Every 62.5 ms a window of a second is decided about, and the
decisions are drawn over the true classes. Without arguments the recording is simulated, and played
as fast as it can be decoded::

    python examples/stream_playback.py
    python examples/stream_playback.py --speed 1                     # in real time
    python examples/stream_playback.py --data path/to/continuous.npz
    python examples/stream_playback.py --lsl                         # through the network

With ``--data`` it is a file of continuous runs with events, see `skbci.datasets.load_recording`.
With ``--lsl`` samples and decisions travel through the Lab Streaming Layer (needs
``pip install "skbci[lsl]"``).
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline

from skbci import EEGArray
from skbci.datasets import load_recording, make_motor_imagery
from skbci.estimators import EvidenceAccumulator
from skbci.features import CausalCentering, SlidingWindows, WelchPSD
from skbci.stream import LSLInput, LSLOutput, OnlineDecoder

WINDOW, HOP = 1.0, 0.0625
MOTOR = ["FC3", "FCz", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "CP3", "CPz", "CP4"]


@dataclass
class Runs:
    """Continuous runs, each with one label per sample."""

    signals: list[np.ndarray]
    labels: list[np.ndarray]
    sfreq: float
    ch_names: list[str]


def simulated() -> Runs:
    """Three sessions of imagined movements, four trials of a class in a row."""
    eeg = make_motor_imagery(
        n_subjects=1, n_sessions=3, n_trials=48, classes=("left_hand", "right_hand", "feet"),
        ch_names=("C3", "Cz", "C4", "CP1", "CP2", "P3", "Pz", "P4"), sfreq=128, snr=3,
        random_state=0,
    )
    session = eeg.metadata["session"].to_numpy()
    turn = eeg.metadata.groupby([session, eeg.y]).cumcount() // 4
    order = np.lexsort((eeg.y, turn, session))
    signals, labels = [], []
    for number in np.unique(session):
        rows = order[session[order] == number]
        signals.append(np.concatenate(list(np.asarray(eeg.X)[rows]), axis=1))
        labels.append(np.repeat(eeg.y[rows], eeg.X.shape[2]))
    return Runs(signals, labels, eeg.sfreq, eeg.ch_names)


def recorded(path: Path) -> Runs:
    """Runs of a file; a sample has the label of the last event before it."""
    eeg = load_recording(path)
    own = {name.lower(): name for name in eeg.ch_names}
    picks = [own[name.lower()] for name in MOTOR if name.lower() in own] or eeg.ch_names
    eeg = load_recording(path, picks=picks)
    labels = []
    for number in range(len(eeg.X)):
        events = eeg.events[eeg.events["row"] == number]
        last = np.searchsorted(events["sample"], np.arange(eeg.X.shape[2]), side="right") - 1
        labels.append(events["label"].to_numpy(dtype=str)[np.maximum(last, 0)])
    return Runs(list(np.asarray(eeg.X, dtype=float)), labels, eeg.sfreq, eeg.ch_names)


def train(runs: Runs) -> Pipeline:
    """Fit on windows of all runs but the last."""
    cut = SlidingWindows(WINDOW, HOP, sfreq=runs.sfreq)
    windows, y = [], []
    for number, (signals, labels) in enumerate(zip(runs.signals[:-1], runs.labels[:-1])):
        X, own = cut.explode(signals, labels)
        table = {"session": [number] * len(X), "onset": X.metadata["onset"]}
        windows.append(EEGArray(np.asarray(X), table, sfreq=runs.sfreq, ch_names=runs.ch_names))
        y.append(own)
    half = round(runs.sfreq / 2)
    pipeline = make_pipeline(
        WelchPSD(n_per_seg=half, n_overlap=3 * half // 4, fmin=8, fmax=30, log=True),
        CausalCentering(),
        EvidenceAccumulator(
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), 4, unit="seconds",
            change_rate="learned", exponent=HOP / WINDOW,
        ),
    )
    return pipeline.fit(np.concatenate(windows), np.concatenate(y))


def chunks(signals: np.ndarray, sfreq: float, speed: float) -> Iterator[np.ndarray]:
    """Play a recording: chunks of 20 to 60 ms, each when its last sample would be there."""
    rng = np.random.default_rng(0)
    start, at = time.monotonic(), 0
    while at < signals.shape[1]:
        n = max(2, round(rng.uniform(0.02, 0.06) * sfreq))
        if speed:
            time.sleep(max(0.0, start + (at + n) / sfreq / speed - time.monotonic()))
        yield signals[:, at : at + n]
        at += n


def directly(decoder: OnlineDecoder, runs: Runs, speed: float) -> tuple[np.ndarray, np.ndarray]:
    """Decode the last run; print how long that takes."""
    taken, times, decisions = [], [], []
    for chunk in chunks(runs.signals[-1], runs.sfreq, speed):
        start = time.perf_counter()
        found = decoder.update(chunk)
        if len(found[0]):
            taken.append(time.perf_counter() - start)
            times.append(found[0])
            decisions.append(found[1])
    median, late = np.percentile(taken, [50, 99]) * 1e3
    print(f"updates with a decision: median {median:.2f} ms, 99 % within {late:.2f} ms")
    return np.concatenate(times), np.concatenate(decisions)


def through_lsl(decoder: OnlineDecoder, runs: Runs, speed: float) -> tuple[np.ndarray, np.ndarray]:
    """Decode the last run from one stream into another."""
    from mne_lsl import lsl

    info = lsl.StreamInfo(
        "skbci playback", "EEG", len(runs.ch_names), runs.sfreq, "float64", "skbci-playback"
    )
    info.set_channel_names(runs.ch_names)
    info.set_channel_units("volts")
    outlet = lsl.StreamOutlet(info)

    def play() -> None:
        outlet.wait_for_consumers(timeout=10)
        first, sent = lsl.local_clock(), 0
        for chunk in chunks(runs.signals[-1], runs.sfreq, speed):
            sent += chunk.shape[1]
            outlet.push_chunk(np.ascontiguousarray(chunk.T), first + (sent - 1) / runs.sfreq)

    player = threading.Thread(target=play, daemon=True)
    player.start()
    output = LSLOutput("skbci decisions", decoder.classes_)
    times, decisions = [], []
    with LSLInput("skbci playback", patience=2.0) as source:
        for stamp, probabilities in decoder.decode(source):
            output.send(stamp, probabilities)
            times.append(stamp)
            decisions.append(probabilities)
    player.join()
    # The recording's own time: the first window ends WINDOW seconds after its beginning.
    return np.array(times) - times[0] + WINDOW, np.array(decisions)


def draw(
    times: np.ndarray, decisions: np.ndarray, classes: np.ndarray, labels: np.ndarray,
    sfreq: float, output: Path,
) -> None:
    """Draw the probabilities over time, with the true class as a bar above them."""
    import matplotlib.pyplot as plt

    colours = ["#D1495B", "#14213D", "#2A9D8F", "#EDAE49", "#8D99AE"]
    figure, ax = plt.subplots(figsize=(9, 3), layout="constrained")
    ax.stackplot(times, decisions.T, colors=colours, alpha=0.75, linewidth=0)
    seconds = np.arange(len(labels)) / sfreq
    for label, colour in zip(classes, colours):
        ax.fill_between(seconds, 1.04, 1.18, where=labels == label, color=colour, step="post",
                        linewidth=0, label=str(label).replace("_", " "))
    ax.set(xlim=(0, min(120.0, seconds[-1])), ylim=(0, 1.18), yticks=(0, 0.5, 1),
           xlabel="time (s)", ylabel="probability")
    figure.legend(loc="outside upper right", ncols=len(classes), frameon=False)
    figure.suptitle("Decoded (below) and true class (above)", x=0.02, ha="left",
                    fontsize="medium")
    figure.savefig(output, dpi=150)
    print(f"picture: {output}")


def main(argv: list[str] | None = None) -> float:
    """Run the example; give the share of right decisions, a mean over the classes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="an .npz file of continuous runs with events")
    parser.add_argument("--speed", type=float, help="1 is real time, 0 as fast as it goes "
                        "(default 0; with --lsl 20)")
    parser.add_argument("--lsl", action="store_true", help="go through the Lab Streaming Layer")
    parser.add_argument("--output", type=Path, default=Path("stream_playback.png"))
    args = parser.parse_args(argv)
    runs = recorded(args.data) if args.data else simulated()
    pipeline = train(runs)
    # Smoothed time stamps wander at first: only half a second without a sample is a gap.
    decoder = OnlineDecoder(pipeline, WINDOW, HOP, on_gap="restart", max_step=0.5)
    for step, how in decoder.steps.items():
        print(f"  {step}: {how}")
    speed = (20.0 if args.lsl else 0.0) if args.speed is None else args.speed
    play = through_lsl if args.lsl else directly
    times, decisions = play(decoder, runs, speed)
    labels = runs.labels[-1]
    truth = labels[np.minimum((times * runs.sfreq).round().astype(int), len(labels) - 1)]
    right = decoder.classes_[decisions.argmax(axis=1)] == truth
    # Classes count alike, however long each lasts: always saying one of them gains nothing.
    share = float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))
    print(f"{len(times)} decisions, mean over the classes {share:.0%} right; chance "
          f"{1 / len(decoder.classes_):.0%}")
    draw(times, decisions, decoder.classes_, labels, runs.sfreq, args.output)
    return share


if __name__ == "__main__":
    main()
