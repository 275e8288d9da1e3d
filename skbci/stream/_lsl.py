"""The Lab Streaming Layer, where mne-lsl is installed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skbci._checks import check_distinct, check_names
from skbci._typing import Label

__all__ = ["LSLInput", "LSLOutput"]

# Volts in a unit, by the names that amplifiers write into their streams.
_VOLTS = {
    "v": 1.0, "volt": 1.0, "volts": 1.0, "mv": 1e-3, "millivolt": 1e-3, "millivolts": 1e-3,
    "uv": 1e-6, "µv": 1e-6, "μv": 1e-6, "microvolt": 1e-6, "microvolts": 1e-6, "nv": 1e-9,
    "nanovolt": 1e-9, "nanovolts": 1e-9,
}


class LSLInput:
    """Samples from a Lab Streaming Layer stream, in volts, with smoothed time stamps.

    Needs ``mne-lsl`` (``pip install "skbci[lsl]"``). Iterating gives pairs (samples, timestamps)
    for `OnlineDecoder.decode`, or triples with the times of markers; as a context manager it
    closes the streams at the end.

    Parameters
    ----------
    name, stype, source_id : str, optional
        What the stream is looked up by: its name, its type such as ``"EEG"``, its source.
    picks : sequence of str, optional
        Channels to take, in this order. By default all.
    unit : str, optional
        Unit of the samples, such as ``"uV"``. By default each channel's own, as the stream states
        it.
    markers : str, optional
        Name of a stream of markers, each of whose samples is one, for a decoder that goes by them
        (`OnlineDecoder.at_markers`).
    timeout : float, default=10.0
        Seconds to look for a stream.
    patience : float, default=5.0
        Seconds without a sample after which the iteration ends. Time that is spent on the
        samples does not count. A stream that states no source cannot be found again once its
        program ends; then the iteration ends at once.

    Attributes
    ----------
    sfreq : float
        Nominal sampling rate in Hz.
    ch_names : list of str
        The channels taken.

    Raises
    ------
    ImportError
        If ``mne-lsl`` is not installed.
    RuntimeError
        If there is no such stream, or more than one, or it does not answer.
    TypeError
        If ``picks`` is no list of names.
    ValueError
        If a channel is not in the stream, or its name is there or in ``picks`` twice, the stream
        has no regular rate, or no unit is known.

    See Also
    --------
    LSLOutput : Sends decisions on.

    Examples
    --------
    With a fitted ``pipeline`` for windows of one second, and an amplifier in the network:

    >>> from skbci.stream import LSLInput, OnlineDecoder
    >>> decoder = OnlineDecoder(pipeline, window=1.0, hop=0.1)  # doctest: +SKIP
    >>> with LSLInput(stype="EEG", picks=decoder.ch_names) as amplifier:  # doctest: +SKIP
    ...     for time, probabilities in decoder.decode(amplifier):
    ...         print(time, decoder.classes_[probabilities.argmax()])
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        stype: str | None = None,
        source_id: str | None = None,
        picks: Sequence[str] | None = None,
        unit: str | None = None,
        markers: str | None = None,
        timeout: float = 10.0,
        patience: float = 5.0,
    ) -> None:
        lsl = _import_lsl("LSLInput")
        if picks is not None:
            picks = check_names(picks, "picks", "LSLInput")
            check_distinct(picks, "picks", "LSLInput")
        wanted: dict[str, Any] = {"name": name, "stype": stype, "source_id": source_id}
        wanted = {key: value for key, value in wanted.items() if value is not None}
        self.patience = patience
        # Clocks are synchronized, and jitter is taken out of the stamps; they never run back.
        self._inlet, info = _opened(lsl, timeout, wanted, "all")
        self._markers = None
        if markers is not None:  # they come when they come: there is no jitter to take out
            self._markers, _ = _opened(lsl, timeout, {"name": markers}, ["clocksync"])
        self.sfreq = float(info.sfreq)
        if not self.sfreq > 0:
            raise ValueError(f"LSLInput: stream {info.name!r} has no regular sampling rate.")
        names = info.get_channel_names() or [f"EEG{i:03d}" for i in range(info.n_channels)]
        self.ch_names = list(names if picks is None else picks)
        absent = [pick for pick in self.ch_names if pick not in names]
        if absent:
            raise ValueError(f"LSLInput: channels {absent} are not in the stream, it has {names}.")
        if twice := [pick for pick in picks or () if names.count(pick) > 1]:
            raise ValueError(
                f"LSLInput: the stream has several channels of the name {twice[0]!r}, and picks "
                "does not tell which is meant. Name them apart in the program that sends it."
            )
        all_of_them = list(range(len(names)))
        self._picks = all_of_them if picks is None else [names.index(pick) for pick in picks]
        units = info.get_channel_units() or [None] * len(names)
        self._factor = np.array(
            [_volts(unit or units[pick], names[pick]) for pick in self._picks]
        )[:, np.newaxis]

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        """Wait for samples and yield them, as long as there are any."""
        last, latest = time.monotonic(), -np.inf
        pause = min(0.005, 1 / self.sfreq)
        while time.monotonic() - last < self.patience:
            pulled = _pull(self._inlet)
            if pulled is None:
                return
            samples, stamps = pulled
            if not len(stamps):
                time.sleep(pause)
                continue
            data = np.asarray(samples, dtype=np.float64).T[self._picks]
            # Stamps that would run back are made equal to the last one; they are to increase.
            stamps = np.maximum(stamps, latest + 1e-6 * np.arange(1, len(stamps) + 1))
            latest = stamps[-1]
            if self._markers is None:
                yield data * self._factor, stamps
            else:
                yield data * self._factor, stamps, _times(self._markers)
            last = time.monotonic()  # what is done with the samples may take its time

    def close(self) -> None:
        """Close the streams."""
        self._inlet.close_stream()
        if self._markers is not None:
            self._markers.close_stream()

    def __enter__(self) -> LSLInput:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LSLOutput:
    """Decisions as a Lab Streaming Layer stream: one channel for each class's probability.

    Needs ``mne-lsl`` (``pip install "skbci[lsl]"``).

    Parameters
    ----------
    name : str
        The stream's name.
    classes : sequence
        The labels, in the order of the probabilities; they become the channels' names.
    source_id : str, default="skbci"
        By which a receiver finds the stream again after an interruption.

    Raises
    ------
    ImportError
        If ``mne-lsl`` is not installed.

    See Also
    --------
    LSLInput : Samples from a stream.

    Examples
    --------
    >>> from skbci.stream import LSLOutput
    >>> output = LSLOutput("decisions", ["left", "right"])  # doctest: +SKIP
    >>> for time, probabilities in decoder.decode(amplifier):  # doctest: +SKIP
    ...     output.send(time, probabilities)
    """

    def __init__(self, name: str, classes: Sequence[Label], *, source_id: str = "skbci") -> None:
        lsl = _import_lsl("LSLOutput")
        self.classes = list(classes)
        info = lsl.StreamInfo(name, "Probabilities", len(self.classes), 0.0, "float64", source_id)
        info.set_channel_names([str(label) for label in self.classes])
        self._outlet = lsl.StreamOutlet(info)

    def send(self, timestamp: float, probabilities: ArrayLike) -> None:
        """Send one decision.

        Parameters
        ----------
        timestamp : float
            On the clock of the Lab Streaming Layer, as `LSLInput` gives it.
        probabilities : array-like, shape (n_classes,)
        """
        values = np.ascontiguousarray(probabilities, dtype=np.float64)
        if values.shape != (len(self.classes),):
            raise ValueError(
                f"LSLOutput: probabilities of shape {values.shape}; one for each of the "
                f"{len(self.classes)} classes is needed."
            )
        self._outlet.push_sample(values, timestamp)


def _times(markers: Any) -> np.ndarray:
    pulled = _pull(markers)  # None: no more of them; the samples go on
    return np.empty(0) if pulled is None else np.asarray(pulled[1], dtype=np.float64)


def _pull(inlet: Any) -> tuple[Any, np.ndarray] | None:
    """Return what has come, and its stamps; None where the stream is gone for good."""
    try:
        return inlet.pull_chunk(timeout=0.0)
    except RuntimeError as error:
        if _is_lost(error):
            return None
        raise


def _is_lost(error: RuntimeError) -> bool:
    # The class stands in a module that is mne-lsl's own.
    return type(error).__name__ == "LostError"


def _opened(lsl: Any, timeout: float, wanted: dict[str, Any], flags: Any) -> tuple[Any, Any]:
    """Return the inlet of a stream and what the stream says of itself."""
    found = _only_one(lsl, timeout, wanted)
    inlet = lsl.StreamInlet(found, processing_flags=flags)
    try:
        inlet.open_stream(timeout=timeout)
        return inlet, inlet.get_sinfo(timeout=timeout)
    except (TimeoutError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_lost(error):
            raise
        raise RuntimeError(
            f"LSLInput: stream {found.name!r} was found and does not answer within {timeout:g} s. "
            "The program that sends it has ended meanwhile, or a firewall lies between."
        ) from error


def _only_one(lsl: Any, timeout: float, wanted: dict[str, Any]) -> Any:
    found = lsl.resolve_streams(timeout=timeout, **wanted)
    if len(found) != 1:
        seen = found or (lsl.resolve_streams(timeout=1.0) if wanted else [])
        names = [info.name for info in seen]
        there = (f": {names}; name one of them." if found else
                 f"; those that are there are {names}." if names else
                 "; there is none at all: start the program that sends it.")
        raise RuntimeError(f"LSLInput: {len(found) or 'no'} streams match {wanted or 'anything'} "
                           f"within {timeout:g} s{there}")
    return found[0]


def _import_lsl(who: str) -> Any:
    try:
        from mne_lsl import lsl
    except ImportError as error:
        raise ImportError(
            f'{who} needs the Lab Streaming Layer: pip install "skbci[lsl]".'
        ) from error
    return lsl


def _volts(unit: object, channel: str) -> float:
    text = str(unit).strip()
    if text.lower() in _VOLTS:
        return _VOLTS[text.lower()]
    # MNE's players write the power of ten: -6 for microvolts, 0 for volts.
    try:
        return float(10.0 ** int(text))
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"LSLInput: the stream states the unit {unit!r} for channel {channel!r}, which is none of "
        f"{', '.join(sorted(_VOLTS))}; pass unit='uV' or whatever its samples are in."
    )
