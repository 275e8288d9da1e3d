"""Decisions of a stream: their latency against other ways, and what a large montage costs.

Run ``python benchmarks/stream.py`` (about a minute) or with ``--quick``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from _report import Table, main
from _timing import Timing, interleave, single_thread

single_thread()

import numpy as np  # noqa: E402
import scipy.signal  # noqa: E402
import skorch  # noqa: E402
import torch  # noqa: E402
from sklearn.base import BaseEstimator, TransformerMixin  # noqa: E402
from sklearn.pipeline import Pipeline, make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from skbci import EEGArray  # noqa: E402
from skbci.estimators import EvidenceAccumulator, MLPClassifier  # noqa: E402
from skbci.features import (  # noqa: E402
    CausalCentering,
    FilterBank,
    SlidingWindows,
    WelchPSD,
)
from skbci.nets import MLP  # noqa: E402
from skbci.stream import OnlineDecoder  # noqa: E402

SEGMENTS = {"n_per_seg": 256, "n_overlap": 192, "fmin": 8.0, "fmax": 30.0}
HIDDEN = (50, 30, 10)
TAIL = "99th percentile (µs)"


class ScipyWelch(TransformerMixin, BaseEstimator):
    """Welch densities, 8-30 Hz, as one writes the step with scipy."""

    def __init__(self, sfreq: float, n_per_seg: int, n_overlap: int) -> None:
        self.sfreq = sfreq
        self.n_per_seg = n_per_seg
        self.n_overlap = n_overlap

    def fit(self, X: Any, y: Any = None) -> ScipyWelch:
        self.is_fitted_ = True
        return self

    def transform(self, X: Any) -> np.ndarray:
        freqs, density = scipy.signal.welch(
            X, self.sfreq, nperseg=self.n_per_seg, noverlap=self.n_overlap
        )
        kept = (freqs >= SEGMENTS["fmin"]) & (freqs <= SEGMENTS["fmax"])
        return density[..., kept].reshape(len(X), -1).astype(np.float32)


def signals(n_channels: int, n_times: int) -> np.ndarray:
    """White noise of 10 microvolts, in volts."""
    return np.random.default_rng(0).standard_normal((n_channels, n_times)) * 1e-5


def fitted(pipeline: Pipeline, recording: np.ndarray, sfreq: float, hop: float) -> Pipeline:
    windows, _ = SlidingWindows(1.0, hop, sfreq=sfreq).explode(recording)
    return pipeline.fit(windows, np.arange(len(windows)) % 2)


def skorch_twin(pipeline: Pipeline, windows: np.ndarray, sfreq: float) -> Pipeline:
    """The same decoder the usual way: scipy, scikit-learn, and a skorch net of equal weights."""
    segments = {key: SEGMENTS[key] for key in ("n_per_seg", "n_overlap")}
    module = pipeline[-1].net_.module_
    n_features = pipeline[-1].n_features_in_
    net = skorch.NeuralNetClassifier(
        MLP, module__n_features=n_features, module__n_outputs=2,
        module__hidden_layer_sizes=HIDDEN, max_epochs=1, train_split=None, verbose=0,
        criterion=torch.nn.CrossEntropyLoss,
    )
    twin = make_pipeline(ScipyWelch(sfreq, **segments), StandardScaler(), net)
    twin.fit(np.asarray(windows)[:64], np.arange(64) % 2)
    twin.steps[1] = ("standardscaler", pipeline[1])
    net.module_.load_state_dict(module.state_dict())
    return twin


def latency(repeats: int) -> Table:
    """One window of 8 x 512 every 62.5 ms, from its samples to its probabilities."""
    sfreq, n_hop = 512.0, 32
    recording = signals(8, 512 + n_hop * (repeats + 5))
    steps = WelchPSD(**SEGMENTS), StandardScaler(), MLPClassifier(
        HIDDEN, max_epochs=2, standardize=False, random_state=0)
    pipeline = fitted(make_pipeline(*steps), recording[:, :4096], sfreq, n_hop / sfreq)
    windows = np.lib.stride_tricks.sliding_window_view(recording, 512, axis=1)[:, ::n_hop]
    windows = windows.transpose(1, 0, 2)
    twin = skorch_twin(pipeline, windows[:64], sfreq)
    decoder = OnlineDecoder(pipeline, 1.0, n_hop / sfreq)
    decoder.update(recording[:, : 512 - n_hop])

    def turns(decide: Callable[[int], Any]) -> Callable[[], Any]:
        counter = iter(range(10**9))
        return lambda: said.append(decide(next(counter)))

    said: list[Any] = []

    def online(i: int) -> np.ndarray:
        start = 512 - n_hop + i * n_hop
        return decoder.update(recording[:, start : start + n_hop])[1]

    work = {
        "scipy, StandardScaler, skorch": turns(lambda i: twin.predict_proba(windows[i][None])),
        "skbci's pipeline, window by window": turns(
            lambda i: pipeline.predict_proba(windows[i][None])),
        "`OnlineDecoder`": turns(online),
    }
    times = interleave(work, repeats=repeats, warmup=5)
    differences = [abs(np.ravel(said[i + 2]) - np.ravel(said[i])).max()
                   for i in range(0, len(said), 3)]
    table = Table(
        "One window of 8 x 512 every 62.5 ms: Welch, StandardScaler, network "
        f"96-{'-'.join(map(str, HIDDEN))}-2",
        times, next(iter(work)), columns=tail(times),
        note=f"Five segments of 500 ms, 8-30 Hz; {repeats:,} windows; ways take turns, window by "
        "window. `OnlineDecoder`'s probabilities differ from those of the first row by "
        f"{max(differences):.1e} at most.",
    )
    ours = times["`OnlineDecoder`"]
    work_name = "a decision of `OnlineDecoder`, 8 x 512"
    table.at_most(0.2, ours.median * 1e3, "ms", work=f"{work_name}: median")
    percentile = table.columns[TAIL]["`OnlineDecoder`"]
    return table.at_most(0.5, percentile / 1e3, "ms", work=f"{work_name}: 99th percentile")


def welch(repeats: int) -> Table:
    """The densities alone, 1-s windows every 62.5 ms."""
    from skbci.stream._sources.welch_segments import WelchSegments

    sfreq, n_hop = 512.0, 32
    recording = signals(8, 512 + n_hop * (repeats + 5))
    psd = WelchPSD(sfreq=sfreq, **SEGMENTS).fit(recording[np.newaxis, :, :512])
    plain = ScipyWelch(sfreq, SEGMENTS["n_per_seg"], SEGMENTS["n_overlap"])
    segments = WelchSegments(psd, 8, 512, n_hop)

    def turns(estimate: Callable[[np.ndarray, int], Any]) -> Callable[[], Any]:
        starts = iter(range(0, 10**9, n_hop))

        def turn() -> Any:
            start = next(starts)
            return estimate(recording[:, start : start + 512], start)

        return turn

    work = {
        "`scipy.signal.welch`": turns(lambda window, _: plain.transform(window[None])),
        "`WelchPSD.transform`": turns(lambda window, _: psd.transform(window[None])),
        "incremental": turns(segments),
    }
    times = interleave(work, repeats=repeats, warmup=5)
    table = Table("The Welch densities of such a window alone", times, next(iter(work)),
                  columns=tail(times))
    return table.at_most(50, times["incremental"].median * 1e6, "µs",
                         work="an incremental Welch update of 8 channels: median")


def tail(times: dict[str, Timing]) -> dict[str, dict[str, float]]:
    """Give the column of the 99th percentiles."""
    return {TAIL: {n: float(np.percentile(t.seconds, 99)) * 1e6 for n, t in times.items()}}


def load(seconds: int, repeats: int) -> Table:
    """Share of one core that 64 channels at 1 kHz take, with 16 decisions a second."""
    sfreq, hop, n_chunk = 1000.0, 0.0625, 20
    recording = signals(64, round(seconds * sfreq))

    def net() -> MLPClassifier:
        return MLPClassifier(HIDDEN, max_epochs=2, random_state=0)

    pipelines = {
        "Welch, scaler, network": make_pipeline(
            WelchPSD(n_per_seg=500, n_overlap=375, fmin=8, fmax=30), StandardScaler(), net()),
        "log Welch, running mean, network, evidence of 5 s": make_pipeline(
            WelchPSD(n_per_seg=500, n_overlap=375, fmin=8, fmax=30, log=True), CausalCentering(),
            EvidenceAccumulator(net(), 5, unit="seconds", change_rate=0.01)),
        "two causal bands, Welch, network": make_pipeline(
            FilterBank([(8, 13), (13, 30)], phase="causal", output="channels"),
            WelchPSD(n_per_seg=500, fmin=8, fmax=30), net()),
    }
    decoders = {}
    for name, pipeline in pipelines.items():
        windows, _ = SlidingWindows(1.0, 0.25, sfreq=sfreq).explode(recording[:, :8000])
        pipeline.fit(EEGArray(np.asarray(windows), sfreq=sfreq), np.arange(len(windows)) % 2)
        decoders[name] = OnlineDecoder(pipeline, 1.0, hop)
    spent: dict[str, list[float]] = {name: [] for name in decoders}
    shares: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(repeats):
        for name, decoder in decoders.items():
            decoder.reset()
            decisions, start = 0, time.process_time()
            for at in range(0, recording.shape[1], n_chunk):
                decisions += len(decoder.update(recording[:, at : at + n_chunk])[0])
            cpu = time.process_time() - start
            spent[name].append(cpu / decisions)
            shares[name].append(100 * cpu / seconds)
    share = {name: float(np.median(values)) for name, values in shares.items()}
    title = "64 channels at 1 kHz, 16 decisions a second"
    table = Table(
        title, {name: Timing(tuple(values)) for name, values in spent.items()},
        timed="the processor for one decision", columns={"share of one core (%)": share},
        note=f"A stream of {seconds} s in chunks of {n_chunk} ms, as fast as it goes.",
    )
    for name in pipelines:
        table.at_most(5, share[name], "% of one core", work=f"{title}: {name}")
    return table


def tables(quick: bool) -> Iterator[Table]:
    repeats = 300 if quick else 3000
    yield latency(repeats)
    yield welch(repeats)
    yield load(10, 1) if quick else load(30, 5)


if __name__ == "__main__":
    main(tables, __doc__)
