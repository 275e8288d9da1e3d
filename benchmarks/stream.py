"""Decisions of a stream: their latency against other ways, and what a large montage costs.

Run ``python benchmarks/stream.py`` (about a minute) or with ``--quick``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from _timing import Timing, header, interleave, ratio, row, single_thread

single_thread()

import numpy as np  # noqa: E402
import scipy.signal  # noqa: E402
import sklearn  # noqa: E402
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


def latency(repeats: int) -> None:
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
    print("\nOne window of 8 x 512 every 62.5 ms: Welch (five segments of 500 ms, 8-30 Hz), "
          f"StandardScaler, network 96-{'-'.join(map(str, HIDDEN))}-2; {repeats} windows\n")
    print_latencies(times)
    differences = [abs(np.ravel(said[i + 2]) - np.ravel(said[i])).max()
                   for i in range(0, len(said), 3)]
    print(f"\nLargest difference of `OnlineDecoder` from the first row: {max(differences):.1e}")


def welch(repeats: int) -> None:
    """The densities alone, 1-s windows every 62.5 ms."""
    from skbci.stream._welch_segments import WelchSegments

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
    print("\nThe densities alone\n")
    print_latencies(interleave(work, repeats=repeats, warmup=5))


def print_latencies(times: dict[str, Timing]) -> None:
    reference = next(iter(times.values()))
    print(header("way", "median (µs)", "99th percentile (µs)", "longest (µs)", "times as fast"))
    for name, timing in times.items():
        micro = np.array(timing.seconds) * 1e6
        cells = np.median(micro), np.percentile(micro, 99), micro.max()
        print(row(name, *(f"{cell:.0f}" for cell in cells), f"{ratio(reference, timing):.1f}"),
              flush=True)


def load(seconds: int) -> None:
    """Share of one core that 64 channels at 1 kHz take, with 16 decisions a second."""
    sfreq, hop, n_chunk = 1000.0, 0.0625, 20
    recording = signals(64, round(seconds * sfreq))
    net = MLPClassifier(HIDDEN, max_epochs=2, random_state=0)
    pipelines = {
        "Welch, scaler, network": make_pipeline(
            WelchPSD(n_per_seg=500, n_overlap=375, fmin=8, fmax=30), StandardScaler(), net),
        "log Welch, running mean, network, evidence of 5 s": make_pipeline(
            WelchPSD(n_per_seg=500, n_overlap=375, fmin=8, fmax=30, log=True), CausalCentering(),
            EvidenceAccumulator(net, 5, unit="seconds", change_rate=0.01)),
        "two causal bands, Welch, network": make_pipeline(
            FilterBank([(8, 13), (13, 30)], phase="causal", output="channels"),
            WelchPSD(n_per_seg=500, fmin=8, fmax=30), net),
    }
    print(f"\n64 channels at 1 kHz, 16 decisions a second, chunks of {n_chunk} ms, {seconds} s\n")
    print(header("pipeline", "share of one core", "CPU time of a decision (ms)"))
    for name, pipeline in pipelines.items():
        windows, _ = SlidingWindows(1.0, 0.25, sfreq=sfreq).explode(recording[:, :8000])
        pipeline.fit(EEGArray(np.asarray(windows), sfreq=sfreq), np.arange(len(windows)) % 2)
        decoder = OnlineDecoder(pipeline, 1.0, hop)
        decisions, start = 0, time.process_time()
        for at in range(0, recording.shape[1], n_chunk):
            decisions += len(decoder.update(recording[:, at : at + n_chunk])[0])
        spent = time.process_time() - start
        print(row(name, f"{spent / seconds:.2%}", f"{spent / decisions * 1e3:.2f}"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the windows")
    quick = parser.parse_args().quick
    print(
        "One thread. Ways take turns, window by window; ratios are of medians. "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn "
        f"{sklearn.__version__}, skorch {skorch.__version__}, torch {torch.__version__}."
    )
    latency(300 if quick else 3000)
    welch(300 if quick else 3000)
    load(10 if quick else 60)


if __name__ == "__main__":
    main()
