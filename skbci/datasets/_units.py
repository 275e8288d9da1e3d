"""Units of stored signals, and signals that cannot be EEG in volts."""

from __future__ import annotations

import re

import numpy as np

from skbci._warning import warn

__all__ = ["doubt_amplitude", "in_volts"]

_PREFIXES = {"micro": 1e-6, "u": 1e-6, "mu": 1e-6, "µ": 1e-6, "μ": 1e-6, "milli": 1e-3, "m": 1e-3,
             "nano": 1e-9, "n": 1e-9, "": 1.0}
_UNIT = re.compile(r"(?<![^\W\d_])(micro|milli|nano|mu|[uµμmn])?[ -]?(?:volts?|V)(?![^\W\d_])",
                   re.IGNORECASE)
# A number before it, or a power, product or quotient after it, changes what a unit means.
_SCALED = re.compile(r"[\d^*×·/][\s*×·x]*$", re.IGNORECASE)
_CHANGED = re.compile(r"\s*(?:[\^²/*×·]|per\b|x\s*\d|e?[-+]?\d)", re.IGNORECASE)
_UNSTATED = {"", "none", "null", "nan", "n/a", "na", "unknown", "unstated", "not stated", "?"}

# Electrodes on the head show 1 to 100 microvolts; a wrong unit is wrong by a factor of a thousand.
_LEAST, _MOST = 3e-8, 1e-3


def in_volts(text: object, name: str) -> float | None:
    """Return the volts of one stored unit; None where the text says that it is not known.

    Parameters
    ----------
    text : str
        Such as "uV", "µV", "microvolt, int16" or "nV".
    name : str
        What is called so in the message, with its file.

    Raises
    ------
    ValueError
        If the text is something else: another unit, several, one that is scaled or in a formula.
    """
    stated = str(text).strip()
    if text is None or stated.lower() in _UNSTATED:
        return None
    found = list(_UNIT.finditer(stated))
    factors = {_PREFIXES[(match.group(1) or "").lower()] for match in found}
    if len(factors) != 1 or _SCALED.search(stated[: found[0].start()]) or _CHANGED.match(
        stated, found[0].end()
    ):
        raise ValueError(
            f"{name}={text!r} must be 'V', 'mV', 'uV' or 'nV' (or volt, millivolt, microvolt, "
            "nanovolt, with a note after it); nothing else is understood."
        )
    return factors.pop()


def doubt_amplitude(signals: np.ndarray, where: object, hint: str) -> None:
    """Warn of signals too large or too small for EEG in volts.

    The median distance of the samples from their channel's median decides: amplifiers' offsets
    and single artifacts do not count. Constant signals tell nothing.

    Parameters
    ----------
    signals : ndarray, shape (..., n_times)
        In what is taken to be volts.
    where : path or str
        For the message.
    hint : str
        What to do about it.
    """
    rows = signals.reshape(-1, signals.shape[-1]) if signals.size else signals
    rows = np.asarray(rows[:: max(1, len(rows) // 256), :10_000], dtype=np.float64)
    if not rows.size:
        return
    with np.errstate(all="ignore"):
        size = np.abs(rows - np.median(rows, axis=-1, keepdims=True))
    size = size[np.isfinite(size)]
    typical = float(np.median(size)) if size.size else 0.0
    if typical and not _LEAST <= typical <= _MOST:
        warn(
            f"{where}: the signals are too {'large' if typical > _MOST else 'small'} for EEG in "
            f"volts: half of the samples are {typical:.2g} V or more away from their channel's "
            f"median, where 1e-6 to 1e-4 V are usual. {hint}",
        )
