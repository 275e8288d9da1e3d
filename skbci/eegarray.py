"""The array that flows through every pipeline: data whose rows carry a metadata table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skbci._checks import check_number, check_positive
from skbci._checks.foreign import check_foreign
from skbci._checks.masked import check_unmasked
from skbci._checks.shapes import check_alike
from skbci._eegarray import row_functions as numpys
from skbci._eegarray.concatenation import concatenate_rows
from skbci._eegarray.mne_exchange import array_from_epochs, epochs_from_array
from skbci._eegarray.row_index import indexed_context
from skbci._eegarray.row_moves import check_assignment, check_sorted_axis
from skbci._eegarray.shipping import hash_with_context, register_with_dask
from skbci._eegarray.table import as_table, check_ch_names, check_in_step, check_info, describe
from skbci._typing import Metadata, Picks

if TYPE_CHECKING:
    from mne import BaseEpochs, EpochsArray, Info

__all__ = ["EEGArray"]


class EEGArray(np.ndarray):
    """A numpy array whose rows carry a metadata table.

    Cross-validation slices ``X`` by rows and hands the slices to ``fit`` *and* to ``predict``,
    but routes no metadata into ``predict``. An ``EEGArray`` takes each row's subject, session,
    run, onset ... along, so that a group-aware step knows them in both places.

    Selecting rows selects the table's rows (so do ``np.take``, ``np.delete``, ``np.split`` and the
    like along the first axis), selecting channels selects the names, joining rows joins the
    tables, and element-wise arithmetic keeps them, unless those of its arrays contradict each
    other. Whatever breaks the step between rows and table (a transpose, a reshape, a mean over
    rows, a matrix product) gives an array without a table. ``np.asarray(X)`` is the bare data.

    Parameters
    ----------
    data : array-like, shape (n_rows, ...)
        Usually (n_epochs, n_channels, n_times) in volts, or (n_rows, n_features). Not copied.
    metadata : DataFrame or dict of array-like, optional
        One row of it for each row of ``data``. Columns that skbci knows: ``subject``,
        ``session``, ``run``, ``onset`` (seconds from the start of the run), ``task``.
    sfreq : float, optional
        Sampling rate in Hz.
    ch_names : sequence of str, optional
        Channel names; with three or more dimensions one for each entry of the last axis but one.
    tmin : float, default=0.0
        Time of the first sample in seconds, relative to the row's event.
    info : mne.Info, optional
        Kept for :meth:`to_epochs`.
    window : float, optional
        Seconds of signal that a row was computed from. Rows of channels x times know it by
        themselves; features keep what their signal had, so that splitters still see which rows
        overlap.

    Raises
    ------
    TypeError, ValueError
        If a part is of another kind, the table's length is not the number of rows, the names do
        not fit the channels or are not all different, or ``sfreq`` is not a positive number.

    Notes
    -----
    What would move rows in place and leave the table behind (a shuffle, a sort along the rows, an
    assignment of rows to the place of others, a new shape) is refused; only what goes through the
    bare data, or a shuffle of one value per row by numpy's old ``RandomState``, cannot be noticed.

    Pickles carry the table, to Dask's workers too. joblib's hash of an array sees table, names and
    sampling rate: ``Pipeline(memory=...)`` keeps the same numbers under two tables apart.

    Examples
    --------
    >>> import numpy as np
    >>> X = EEGArray(np.zeros((4, 2, 100)), {"subject": [1, 1, 2, 2]}, sfreq=100,
    ...              ch_names=["C3", "C4"])
    >>> X[2:].metadata["subject"].tolist()
    [2, 2]
    >>> X[:, [1]].ch_names
    ['C4']
    >>> X
    <EEGArray 4 x 2 x 100 float64, 100 Hz, channels C3 C4, metadata: subject>
    """

    _metadata: pd.DataFrame | None
    _bare: np.ndarray | None
    sfreq: float | None
    ch_names: list[str] | None
    tmin: float
    info: Info | None
    _window: float | None

    def __new__(
        cls,
        data: Any,
        metadata: Metadata | None = None,
        *,
        sfreq: float | None = None,
        ch_names: Sequence[str] | None = None,
        tmin: float = 0.0,
        info: Info | None = None,
        window: float | None = None,
    ) -> EEGArray:
        """Check the parts against each other and bind them."""
        data = check_alike(check_foreign(data, "data"), "data")
        array = np.asarray(check_unmasked(data, "data"))
        if array.ndim < 1:
            raise ValueError(
                "EEGArray needs data of at least one dimension: rows. Got a scalar."
            )
        table = as_table(metadata, len(array))
        if sfreq is not None:
            sfreq = check_positive(sfreq, "sfreq", "EEGArray", unit="Hz", also="None")
        if ch_names is not None:
            ch_names = check_ch_names(ch_names, array.shape)
        out = array.view(cls)
        out._metadata = table
        out.sfreq = sfreq
        out.ch_names = ch_names
        out.tmin = check_number(tmin, "tmin", "EEGArray", unit="seconds")
        out.info = check_info(info)
        out._window = None if window is None else check_number(
            window, "window", "EEGArray", low=0, unit="seconds", also="None"
        )
        return out

    def __array_finalize__(self, obj: Any) -> None:
        """Start without a table; only operations known to keep rows in step attach one."""
        self._metadata = None
        self._bare = None
        self.sfreq = None
        self.ch_names = None
        self.tmin = 0.0
        self.info = None
        self._window = None

    @property
    def metadata(self) -> pd.DataFrame:
        """The rows' table; without columns where nothing is known."""
        if self._metadata is None:
            self._metadata = pd.DataFrame(index=pd.RangeIndex(len(self)))
        check_in_step(self._metadata, len(self))
        return self._metadata

    @property
    def window(self) -> float | None:
        """Seconds of signal behind a row, or None where that is not known."""
        if self._window is None and self.ndim == 3 and self.sfreq:
            return self.shape[-1] / self.sfreq
        return self._window

    @property
    def has_metadata(self) -> bool:
        """Return whether the table has any column."""
        return self._metadata is not None and self._metadata.shape[1] > 0

    def with_data(self, data: ArrayLike, **context: Any) -> EEGArray:
        """Other data under the same table.

        Parameters
        ----------
        data : array-like, shape (n_rows, ...)
            As many rows as this array has, in the same order.
        **context
            ``sfreq``, ``ch_names``, ``tmin``, ``info`` or ``window`` where they differ from this
            array's.

        Returns
        -------
        EEGArray
        """
        kept = {"sfreq": self.sfreq, "ch_names": self.ch_names, "tmin": self.tmin,
                "info": self.info, "window": self.window, **context}
        if np.ndim(data) == 3 and kept["sfreq"] and "window" not in context:
            kept["window"] = None  # signals know it by themselves
        return EEGArray(data, self.metadata, **kept)

    def __getitem__(self, key: Any) -> Any:
        """Index the data, and the table, names and times with it."""
        out = np.asarray(self)[key]
        if not isinstance(out, np.ndarray) or self._metadata is None or self.dtype.names:
            return out
        context = indexed_context(self, key, out.ndim)
        return out if context is None else EEGArray(out, **context)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Assign data; rows of one table never go under another."""
        check_assignment(self, key, check_unmasked(value, "the assigned value"))
        np.asarray(self)[key] = value

    def sort(  # type: ignore[override]
        self, axis: int = -1, **settings: Any
    ) -> None:
        """Sort within rows, in place; rows and named channels stay where they are."""
        check_sorted_axis(self, axis, "sort")
        np.asarray(self).sort(axis, **settings)

    def partition(  # type: ignore[override]
        self, kth: Any, axis: int = -1, **settings: Any
    ) -> None:
        """Partition within rows, in place; rows and named channels stay where they are."""
        check_sorted_axis(self, axis, "partition")
        np.asarray(self).partition(kth, axis, **settings)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to change in place what the table would not follow."""
        if name in ("shape", "strides", "dtype"):
            raise AttributeError(
                f"EEGArray: {name} cannot be set in place, since the table would not follow; "
                "X.reshape(...) gives an array without a table, X.astype(...) one with it."
            )
        super().__setattr__(name, value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Element-wise results of this array's shape keep the table; others are bare arrays."""
        targets = [x for x in kwargs.get("out") or () if isinstance(x, EEGArray)]
        owners = [*(x for x in inputs if isinstance(x, EEGArray)), *targets]
        for target in targets:  # in place, as X += X[::-1]
            for source in owners:
                if not numpys.same_rows(target, source):
                    check_assignment(target, ..., source)
        result = getattr(ufunc, method)(*numpys.stripped(inputs), **numpys.stripped(kwargs))
        owner = owners[0] if owners else None  # it may stand in ``where`` only
        if (
            owner is not None
            and method == "__call__"
            and ufunc.signature is None  # a matrix product mixes rows or channels
            and isinstance(result, np.ndarray)
            and result.shape == owner.shape
            and owner._metadata is not None
            and all(numpys.same_rows(owner, other) for other in owners)
        ):
            return owner.with_data(result)
        return result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Take rows, or join them, with their table; other functions see bare data."""
        arrays = numpys.rows_to_join(func, args, kwargs)
        if arrays is not None and all(isinstance(array, EEGArray) for array in arrays):
            return concatenate_rows(EEGArray, arrays)
        if (chosen := numpys.chosen_rows(func, args, kwargs)) and isinstance(chosen[0], EEGArray):
            array, rows = chosen
            return [array[own] for own in rows] if isinstance(rows, list) else array[rows]
        numpys.refuse_out(func, kwargs.get("out"))
        if func is np.swapaxes and len(args) == 3 and args[1] == args[2]:
            return args[0][...]  # nothing is swapped: so numpy's Generator.shuffle begins
        if func in (np.copyto, np.putmask) and len(args) > 1 and isinstance(args[0], EEGArray):
            source = args[1] if func is np.copyto else kwargs.get("values", args[-1])
            check_assignment(args[0], ..., source)
        return func(*numpys.stripped(args), **numpys.stripped(kwargs))

    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        """Take rows with their table, or other entries without."""
        return np.take(self, indices, axis=axis, out=out, mode=mode)

    def copy(self, order: Any = "C") -> EEGArray:
        """Copy the data and the table."""
        out = np.asarray(self).copy(order=order).view(EEGArray)
        return self._bind(out)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> EEGArray:
        """Cast the data and keep the table."""
        return self._bind(np.asarray(self).astype(dtype, *args, **kwargs).view(EEGArray))

    def __copy__(self) -> EEGArray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> EEGArray:
        return self.copy()

    def _bind(self, out: EEGArray) -> EEGArray:
        out._metadata = None if self._metadata is None else self._metadata.copy()
        out.sfreq, out.tmin, out.info = self.sfreq, self.tmin, self.info
        out._window = self._window
        out.ch_names = None if self.ch_names is None else list(self.ch_names)
        return out

    def __reduce__(self) -> Any:
        """Pickle the data with its context.

        The bare view is kept: joblib shares an array between its workers once for each object it
        meets, and a new view for each task would be written to shared memory each time.
        """
        if self._bare is None:
            self._bare = np.asarray(self)
        context = (
            self._metadata, self.sfreq, self.ch_names, self.tmin, self.info, self._window
        )
        return _rebuild, (self._bare, context)

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return describe(self)

    @classmethod
    def from_epochs(cls, epochs: BaseEpochs, picks: Picks = None) -> EEGArray:
        """Take data (volts), info, events and metadata from epochs.

        Parameters
        ----------
        epochs : mne.BaseEpochs
            The epochs, without those that their own rejection drops.
        picks : str or sequence of str or int, optional
            Channels to take: names, indices, or types as in MNE; "all" for all. By default the
            data channels (EEG, MEG ...) that are not marked bad. Of a type, those not marked bad.

        Returns
        -------
        EEGArray, shape (n_epochs, n_channels, n_times)
            Its table has the epochs' own metadata, their events (``event_sample``,
            ``event_previous``, ``event_code``) and, if not there yet, ``onset`` in seconds.
        """
        return array_from_epochs(cls, epochs, picks)

    def to_epochs(self) -> EpochsArray:
        """Make MNE epochs with this array's data, events and metadata.

        Returns
        -------
        mne.EpochsArray
            Several recordings (by subject, session and run, or onsets that begin anew) are put
            one after another, as `mne.concatenate_epochs` does; their onsets stay in the
            metadata. Without events in the table they are made from the onsets; without those,
            rows get MNE's placeholders 0, 1, 2 ...

        Raises
        ------
        ValueError
            If the array is not three-dimensional or knows neither ``info`` nor ``sfreq``.
        """
        return epochs_from_array(self)


def _rebuild(data: np.ndarray, context: tuple[Any, ...]) -> EEGArray:
    out = data.view(EEGArray)
    out._metadata, out.sfreq, out.ch_names, out.tmin, out.info, out._window = context
    return out


hash_with_context(EEGArray)
register_with_dask(EEGArray)
