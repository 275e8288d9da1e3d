"""Codes of labels that mean the same in all files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import Bunch

from skbci._typing import Label
from skbci._warning import warn

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["number_by_name", "with_common_codes"]

_CODED = ("y", "y_test8")


def number_by_name(pairs: Iterable[tuple[Any, str]]) -> dict[tuple[Label, str], Label]:
    """Number names anew where codes stand for several names or names have several codes.

    A name keeps the code that it has where it is met first, unless another name has that code.

    Parameters
    ----------
    pairs : iterable of (code, name)
        In order of appearance.

    Returns
    -------
    dict of (code, name) to code
        The same codes where there is no contradiction.
    """
    pairs = list(dict.fromkeys(pairs))
    codes: dict[str, Any] = {}
    new = {}
    for code, name in pairs:
        if name not in codes:
            taken = code in codes.values()
            if taken and not all(isinstance(known, (int, float)) for known, _ in pairs):
                raise ValueError(
                    f"the label {code!r} means {name!r} in one place and something else in another"
                )
            every = [known for known, _ in pairs] + list(codes.values())
            codes[name] = max(every) + 1 if taken else code
        new[code, name] = codes[name]
    return new


def with_common_codes(bunches: Sequence[Bunch], files: Sequence[Path]) -> list[Bunch]:
    """Let each label's code mean the same in all data sets, by what they say it means.

    Returns
    -------
    list of Bunch
        Copies where codes were changed.

    Raises
    ------
    ValueError
        If some labels are numbers and others text, or text labels contradict each other.

    Warns
    -----
    UserWarning
        If codes were changed, or a file does not say what its labels mean while others do.
    """
    labelled = [(b, file) for b, file in zip(bunches, files) if b.y is not None]
    kinds = {("text" if b.y.dtype.kind in "UO" else "numbers"): file for b, file in labelled}
    if len(kinds) > 1:
        raise ValueError(
            f"Cannot join {kinds['numbers'].name}, whose labels are numbers, and "
            f"{kinds['text'].name}, whose labels are text."
        )
    meanings = [b.get("label_names") or {} for b in bunches]
    if not any(meanings) or all(names == meanings[0] for names in meanings):
        return list(bunches)
    silent = [file.name for (b, file), names in zip(zip(bunches, files), meanings)
              if b.y is not None and not names]
    if silent:
        warn(
            f"{', '.join(silent[:5])}: the file does not say what its labels mean, others do; the "
            "same labels were taken to mean the same.",
        )
    try:
        codes = number_by_name(pair for names in meanings for pair in names.items())
    except ValueError as error:
        raise ValueError(
            f"Cannot join {', '.join(file.name for file in files[:5])}: {error}."
        ) from None
    if all(code == new for (code, _), new in codes.items()):
        return list(bunches)
    out = []
    for bunch, names in zip(bunches, meanings):
        new = {code: codes[code, name] for code, name in names.items()}
        bunch = Bunch(**bunch)
        if names:
            bunch.label_names = {new[code]: name for code, name in names.items()}
        for entry in _CODED:
            if bunch.get(entry) is not None:
                bunch[entry] = recoded(bunch[entry], new)
        if "events" in bunch and "code" in bunch.events:
            bunch.events = bunch.events.assign(
                code=recoded(bunch.events["code"].to_numpy(), new)
            )
        out.append(bunch)
    meant = ", ".join(f"{code} {name}" for code, name in
                      {new: name for (_, name), new in codes.items()}.items())
    warn(
        f"{', '.join(file.name for file in files[:5])}: one label means different things in "
        f"different files, or one thing different labels; they were numbered by name: {meant}.",
    )
    return out


def recoded(labels: np.ndarray, new: Mapping[Label, Label]) -> np.ndarray:
    """Return labels by their new codes; those without one stay."""
    values = [new.get(label, label) for label in labels.tolist()]
    out = np.array(values, dtype=labels.dtype if labels.dtype.kind == "f" else None)
    return out.reshape(labels.shape) if len(values) else labels
