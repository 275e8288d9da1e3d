"""A fitted pipeline, sample by sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skbci._checks import check_choice, check_count, check_positive
from skbci._recording.times import check_span
from skbci._typing import Labels
from skbci.stream._checks import check_metadata, known_channels, step_limit, stream_rate
from skbci.stream._clock import Clock
from skbci.stream._learning import Learning
from skbci.stream._triggers import make_trigger, read_markers
from skbci.stream._undo import or_undone
from skbci.stream._window_loop import WindowLoop

__all__ = ["OnlineDecoder"]


class OnlineDecoder(WindowLoop):
    r"""Decode a stream of samples with a fitted pipeline, window by window or at markers.

    The samples arrive in chunks of any size, and the probabilities are those that the pipeline
    gives for the same windows offline: the sizes of the chunks change nothing. `at_markers` makes
    a decoder that decides about an epoch around each marker, as for evoked potentials and cued
    imagery.

    Parameters
    ----------
    pipeline : estimator
        A fitted classifier with ``predict_proba``, usually a `sklearn.pipeline.Pipeline`, that
        takes windows as rows. It is not copied: what `partial_fit` learns, it learns.
    window : float
        Length of a window in seconds.
    hop : float, optional
        Seconds from the start of one window to the start of the next. Needed without ``tmin``.
    sfreq : float, optional
        Sampling rate of the stream in Hz. Not needed where a step of the pipeline knows it.
    ch_names : sequence of str, optional
        Names of the stream's channels; checked against those that the pipeline was fitted with.
    metadata : mapping of str to value, optional
        Whose stream it is, such as ``{"subject": 3, "session": 2}``, for steps that ask for it.
    filter_state : {"window", "stream"}, default="window"
        Where a causal `FilterBank` in the first step begins: with each window, as it does in
        ``pipeline.predict_proba``, or once, with the stream, for a pipeline whose other steps were
        fitted on windows of continuously filtered recordings.
    on_gap : {"raise", "restart"}, default="raise"
        What to do where time stamps say that samples are missing: raise an error, or begin a new
        run, with the first window that has all of its samples after the gap.
    max_step : float, optional
        Longest time in seconds from one sample to the next that is no gap. By default 1.5 sample
        periods.
    jitter : float, optional
        Seconds that time stamps may be early or late. The samples' times are then read from a line
        fitted to the stamps of about the last ten seconds; a stamp that is farther off, and
        farther than the line may be off itself, begins another line, and is a gap if the step
        is longer than ``max_step``. By default only the
        single stamp of a chunk may jitter, by 20 ms, and stamps of each sample are taken as they
        are.
    tmin : float, optional
        Seconds from a marker to the start of its window; negative before it. Windows are then cut
        at markers, and not every hop.
    max_delay : float, default=5.0
        Seconds that a marker may come later than its sample.
    batch_size : int, default=16
        How many labelled windows `partial_fit` hands to the pipeline at once.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels, in the order of the probabilities.
    sfreq : float
        Sampling rate in Hz.
    n_window, n_hop : int
        Both in samples, rounded to the nearest; ``n_hop`` is None at markers.
    n_channels : int or None
        Channels; None until the first chunk where neither ``ch_names`` nor the pipeline say.
    steps : dict of str to str
        How each step is run: ``"incremental"`` (work is shared between windows), ``"carried"``
        (its past goes on from window to window), ``"compiled"`` (the same formula without
        scikit-learn's and torch's overhead), ``"by the fitted group"`` (alignment), or ``"own
        methods"``. Empty until the number of channels is known.

    Raises
    ------
    TypeError
        If the pipeline has no ``predict_proba``, or a setting is of the wrong type.
    ValueError
        If a step cannot run causally (named), the pipeline does not take such windows, a setting
        is out of range, or there is no sampling rate.
    sklearn.exceptions.NotFittedError
        If the pipeline is not fitted.

    See Also
    --------
    skbci.features.SlidingWindows : The same windows of a recording.

    Notes
    -----
    Window m has the samples from :math:`m h` to :math:`m h + w - 1` of its run, and its time stamp
    is that of its last sample. The probabilities equal
    ``pipeline.predict_proba(SlidingWindows(window, hop).explode(recording)[0])``, one run at a
    time, whatever the pipeline holds. At markers they equal those of the epochs that
    `skbci.datasets.read_epochs` cuts, from the first sample at or after ``tmin`` to the last one
    before ``tmin + window``, where sample 0 is the nearest to the marker; such windows share
    nothing, so that each step computes them anew.

    - `WelchPSD` in the first step transforms each segment once and shares it between windows.
    - A causal `FilterBank` in the first step filters each sample once. With
      ``filter_state="window"`` the natural response to the difference between the state that it
      carries and the state that it would begin the window with is added.
    - `CausalCentering`, `EvidenceAccumulator` and `CascadeClassifier` carry their past along.
    - Scalers, `PCA`, selections, linear classifiers and networks are run without the checks of
      their input; fully connected networks by numpy.
    - Everything else is asked by its own methods, one row at a time: filters of zero phase see
      the window, as they do offline, and a step that asks for the sampling rate, the channels or
      the row table gets the stream's, with the window's ``onset`` in seconds of its run.
    - `EuclideanAlignment`, `RiemannianRecentering` and `GroupScaler` use what they know of the
      stream's group, which has to be among those that they were fitted on; offline they would use
      all rows of the call. A step whose result for a row depends on the rows beside it is refused.

    Learning (`partial_fit`, `partial_fit_windows`, `reset`) that fails or is interrupted leaves
    decoder and pipeline as they were; the same samples can be given again.

    What the pipeline learns elsewhere, and how it is fitted or set anew, is taken over at `reset`;
    until then, leave it alone. A decoder can be copied and pickled, and goes on where it is.

    A decoder computes in float64, unless a step's own ``dtype`` says otherwise. A logarithm of
    densities that a filter has all but removed is one of rounding in float32, offline and here.

    Examples
    --------
    Two minutes of a rhythm that comes and goes, at three channels:

    >>> import numpy as np
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbci.features import SlidingWindows, WelchPSD
    >>> from skbci.stream import OnlineDecoder
    >>> rng = np.random.default_rng(0)
    >>> t = np.arange(120 * 128) / 128
    >>> closed = (t % 20) >= 10
    >>> recording = rng.standard_normal((3, t.size)) * 1e-5
    >>> recording[2] += 1e-5 * np.sin(2 * np.pi * 10 * t) * closed
    >>> half = t.size // 2
    >>> cut = SlidingWindows(1.0, 0.25, sfreq=128)
    >>> windows, y = cut.explode(recording[:, :half], np.where(closed[:half], "closed", "open"))
    >>> power = WelchPSD(n_per_seg=64, fmin=8, fmax=12, log=True)
    >>> pipeline = make_pipeline(power, LinearDiscriminantAnalysis()).fit(windows, y)

    The second minute, in chunks of 50 samples:

    >>> decoder = OnlineDecoder(pipeline, window=1.0, hop=0.25)
    >>> decoder.classes_.tolist()
    ['closed', 'open']
    >>> chunks = np.split(recording[:, half:], range(50, half, 50), axis=1)
    >>> decisions = list(decoder.decode(chunks))
    >>> len(decisions)
    237
    >>> time, probabilities = decisions[0]
    >>> round(time, 3), str(decoder.classes_[probabilities.argmax()])
    (0.992, 'open')
    """

    def __init__(
        self,
        pipeline: BaseEstimator,
        window: float,
        hop: float | None = None,
        *,
        sfreq: float | None = None,
        ch_names: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        filter_state: str = "window",
        on_gap: str = "raise",
        max_step: float | None = None,
        jitter: float | None = None,
        tmin: float | None = None,
        max_delay: float = 5.0,
        batch_size: int = 16,
    ) -> None:
        if not hasattr(pipeline, "predict_proba"):
            raise TypeError(
                "OnlineDecoder gives probabilities, but the pipeline, a "
                f"{type(pipeline).__name__}, has no predict_proba."
            )
        check_is_fitted(pipeline)
        check_choice(filter_state, "filter_state", "OnlineDecoder", ("window", "stream"))
        check_choice(on_gap, "on_gap", "OnlineDecoder", ("raise", "restart"))
        self.pipeline, self.filter_state = pipeline, filter_state
        self.metadata = check_metadata(metadata)
        self.sfreq = stream_rate(sfreq, pipeline)
        self._trigger, self.n_window, self.n_hop, self._offset = make_trigger(
            window, hop, tmin, max_delay, self.sfreq
        )
        if jitter is not None:
            jitter = check_positive(jitter, "jitter", self, unit="seconds")
        self._clock = Clock(self.sfreq, on_gap, step_limit(max_step, self.sfreq), jitter)
        self._learning = Learning(
            check_count(batch_size, "batch_size", "OnlineDecoder"), self.metadata
        )
        self._given_names = ch_names if ch_names is None else known_channels(pipeline, ch_names)[0]
        self._engine = None
        self._take_over(None)

    @classmethod
    def at_markers(
        cls, pipeline: BaseEstimator, tmin: float, tmax: float, **settings: Any
    ) -> OnlineDecoder:
        """Make a decoder that decides once for each marker.

        Parameters
        ----------
        pipeline : estimator
            As for the class; fitted on epochs from ``tmin`` to ``tmax``.
        tmin, tmax : float
            Window around a marker in seconds, as in `skbci.datasets.read_epochs`.
        **settings
            Other parameters of the class.

        Returns
        -------
        OnlineDecoder
            Its `update` takes ``markers``.
        """
        tmin, tmax = check_span(tmin, tmax, "OnlineDecoder")
        return cls(pipeline, tmax - tmin, tmin=tmin, **settings)

    def update(
        self, samples: ArrayLike, timestamps: ArrayLike | None = None,
        markers: ArrayLike | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take the next samples and decide about the windows that they finish.

        Parameters
        ----------
        samples : array-like, shape (n_channels, n_times)
            In volts, or in the unit that the pipeline was fitted with; any number of times.
        timestamps : float or array-like, shape (n_times,), optional
            Times of the samples in seconds, or of the first one, which may be up to 20 ms early
            or late: chunks arrive with jitter. Without, time is counted at
            ``sfreq``: on from the last time stamp, or from 0 at the first sample.
        markers : float or array-like, shape (n_markers,), optional
            Times of markers in seconds on the samples' clock, of a decoder with ``tmin``; they may
            come before or with their samples, or up to ``max_delay`` later.

        Returns
        -------
        timestamps : ndarray, shape (n_windows,)
            Times of the windows' last samples, or of their markers. Often there is none, or one.
        probabilities : ndarray, shape (n_windows, n_classes)

        Raises
        ------
        ValueError
            If the number of channels is wrong, a sample is not a finite real number, the time
            stamps run backwards, or samples are missing and ``on_gap`` is ``"raise"``. Nothing has
            been taken then.

        Warns
        -----
        UserWarning
            If there is no decision about a marker: it came too late, or samples of its window are
            missing.
        """
        times = read_markers(self._trigger, markers)
        return self._advance(self._read(samples), timestamps, None, times)

    def decode(
        self, chunks: Iterable[ArrayLike | tuple[ArrayLike, ...]]
    ) -> Iterator[tuple[float, np.ndarray]]:
        """Go through chunks and yield each window's decision as soon as it is made.

        Parameters
        ----------
        chunks : iterable
            Of samples, or of pairs (samples, timestamps) or triples (samples, timestamps,
            markers), as for `update`.

        Yields
        ------
        timestamp : float
            Time of the window's last sample, or of its marker.
        probabilities : ndarray, shape (n_classes,)
        """
        for chunk in chunks:
            parts = chunk if isinstance(chunk, tuple) else (chunk,)
            if not 1 <= len(parts) <= 3 or (len(parts) == 1 and parts is chunk):
                raise ValueError(
                    f"OnlineDecoder: decode got a chunk that is a tuple of {len(parts)}; give an "
                    "array of samples, a pair (samples, timestamps), or a triple (samples, "
                    "timestamps, markers)."
                )
            times, probabilities = self.update(*parts)
            yield from zip(times.tolist(), probabilities)

    @or_undone
    def partial_fit(
        self, samples: ArrayLike, y: Labels, timestamps: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take labelled samples: decide about the windows that they finish, then learn them.

        Windows are handed to the pipeline's last step in batches of ``batch_size``, so that chunk
        sizes do not matter here either; what is left over is learned in the next call or at
        `reset`. The other steps stay as they are.

        Parameters
        ----------
        samples : array-like, shape (n_channels, n_times)
            As for `update`.
        y : label, or array-like of labels, shape (n_times,)
            The chunk's label, or each sample's; a window has the label of its last sample.
        timestamps : float or array-like, shape (n_times,), optional
            As for `update`.

        Returns
        -------
        timestamps : ndarray, shape (n_windows,)
        probabilities : ndarray, shape (n_windows, n_classes)
            What was decided about each window before it was learned.

        Raises
        ------
        TypeError
            If the pipeline's last step has no ``partial_fit``.
        ValueError
            As for `update`, or if a label is not among ``classes_``.
        """
        if self.n_hop is None:
            raise ValueError(
                "OnlineDecoder: partial_fit learns windows every hop; a decoder at markers learns "
                "epochs by partial_fit_windows."
            )
        data = self._read(samples)
        labels = self._learning.check_labels(y, data.shape[1], self.classes_, "samples")
        self._learning.check_learner(self._running, self.filter_state)
        return self._advance(data, timestamps, labels)
