"""Mirrored trials: left and right exchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skbci._checks import check_mapping, check_names
from skbci._checks.eeg import as_eeg
from skbci._typing import Signals
from skbci.augmentation._base import Augmentation, GivenRows, NewRows, under_table
from skbci.augmentation._electrode_pairs import mirrored_channels
from skbci.augmentation._mirrored_labels import mirrored_labels
from skbci.eegarray import EEGArray

_BEYOND = 10**9  # more than any numbering of people holds


class Mirror(Augmentation):
    """Exchange the channels of the left and of the right side, and the labels with them.

    A left hand's imagery in a mirror is a right hand's. C3 and C4 change places, FC5 and FC6, and
    so on; the midline (Fz, Cz, Pz ...) stays.

    Parameters
    ----------
    labels : dict, optional
        Each class's counterpart, such as ``{1: 2, 2: 1, 3: 3}``: every class is in it, and applied
        twice it gives back every class. By default classes whose names have "left" or "right" in
        them exchange ("left_hand" and "right_hand"), in any case, and others stay (feet, tongue).
    ch_names : sequence of str, optional
        Names of the channels by the 10-05 system, in any case. By default the `EEGArray`'s.

    Raises
    ------
    ValueError
        If the channels have no names or one that is not of the 10-05 system; if the counterpart of
        a channel is missing; if no class is called left or right and there is no map; if the map
        lacks a class, names another one, or does not give back what it exchanges.

    Notes
    -----
    Nothing is drawn: each row gives one, in the order of the rows.

    *The table.* A mirrored brain is another subject's: its channels' covariances are not the
    subject's own. The column "subject" of the new rows has new labels, so that alignment by
    subject aligns them by themselves: "S1 (mirrored)" for "S1", a billion more for a number.

    Exchanging channels commutes with the common average reference, and with every step that
    treats channels alike.

    Examples
    --------
    >>> import numpy as np
    >>> from skbci import EEGArray
    >>> X = EEGArray(np.arange(6.0).reshape(1, 3, 2), {"subject": ["S1"]}, sfreq=2,
    ...              ch_names=["C3", "Cz", "C4"])
    >>> new = Mirror(labels={"left": "right", "right": "left"}).augment(
    ...     np.concatenate([X, X]), ["left", "right"])
    >>> np.asarray(new.X[0]).tolist(), new.y.tolist()
    ([[4.0, 5.0], [2.0, 3.0], [0.0, 1.0]], ['right', 'left'])
    >>> new.X.metadata["subject"].tolist()
    ['S1 (mirrored)', 'S1 (mirrored)']
    """

    needs_classes = True

    def __init__(
        self, labels: Mapping[Any, Any] | None = None, ch_names: Sequence[str] | None = None
    ) -> None:
        self.labels = labels
        self.ch_names = ch_names

    def exchange(self, X: Signals) -> np.ndarray:
        """Exchange left and right channels, whatever the labels are.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, ..., n_channels, n_times)
            Rows; they are not changed.

        Returns
        -------
        ndarray or EEGArray, of X's shape
            Under a table with subjects of their own, where X has one.

        Raises
        ------
        ValueError
            If the channels have no names, or the counterpart of one is missing.
        """
        X = as_eeg(X)
        data = self._read(X)
        nothing = np.zeros(len(data), dtype=np.int64)
        return under_table(X, self._exchanged(GivenRows(X, data, nothing, nothing)))

    def partners(self, classes: ArrayLike) -> np.ndarray:
        """Find each class's counterpart.

        Parameters
        ----------
        classes : array-like, shape (n_classes,)
            Sorted labels.

        Returns
        -------
        ndarray of int, shape (n_classes,)
            The index of each class's counterpart.

        Raises
        ------
        ValueError
            If ``labels`` does not say what the classes' counterparts are.
        """
        return mirrored_labels(self.labels, np.asarray(classes), self)

    def _check_settings(self) -> None:
        check_mapping(self.labels, "labels", self)
        if self.ch_names is not None:
            check_names(self.ch_names, "ch_names", self, also="None")

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        new = self._exchanged(rows)
        partners = mirrored_labels(self.labels, rows.classes, self)
        new.y = rows.classes[partners[np.searchsorted(rows.classes, rows.y)]]
        return new

    def _exchanged(self, rows: GivenRows) -> NewRows:
        """Exchange the channels of rows, under subjects of their own; labels are left open."""
        order = mirrored_channels(self._names(rows), self)
        table = _table_of_others(rows.X) if isinstance(rows.X, EEGArray) else None
        return NewRows(rows.data[..., order, :], np.arange(len(rows.data)), table=table)

    def _names(self, rows: GivenRows) -> list[str]:
        name = type(self).__name__
        if self.ch_names is not None:
            names = check_names(self.ch_names, "ch_names", self)
        else:
            names = getattr(rows.X, "ch_names", None) or []
        if not names:
            raise ValueError(
                f"{name} needs the names of the channels, and X has none: give an EEGArray or "
                f"mne.Epochs, or {name}(ch_names=[...])."
            )
        if len(names) != rows.data.shape[-2]:
            raise ValueError(
                f"{name}: ch_names has {len(names)} names, but X has {rows.data.shape[-2]} "
                f"channels (shape {rows.data.shape})."
            )
        return names


def _table_of_others(X: EEGArray) -> pd.DataFrame:
    """Return the rows' table with subjects of their own."""
    table = X.metadata.copy()
    if "subject" in table:
        table["subject"] = _other_subjects(table["subject"])
    return table


def _other_subjects(subjects: pd.Series) -> list[Any]:
    # A person's mirrored label must not depend on who else is among the rows.
    return [
        s + _BEYOND if _is_number(s) else s if pd.isna(s) else f"{s} (mirrored)" for s in subjects
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and value == value
