"""Base classes of the transformers: input, names, tags and output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skbci._checks.eeg import as_eeg, check_eeg
from skbci._eegarray.rows import carry_rows
from skbci._process.threads import on_one_thread
from skbci._typing import Labels, Names, Signals
from skbci._whole import WholeFits
from skbci.eegarray import EEGArray

MESSAGE_LENGTH = "input_features should have length equal to the number of {what} ({n}), got {got}"


class EEGTransformer(WholeFits, TransformerMixin, BaseEstimator):
    """Base of the transformers: rows x channels x times, or rows x times of one channel."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What scikit-learn asks before it makes a data frame, which holds two dimensions.
        cls._sklearn_auto_wrap_output_keys = property(_methods_of_tables)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _read_fit(self, X: Signals, **check_params: Any) -> tuple[Signals, np.ndarray]:
        """Validate X in ``fit``; give it with its context and as bare floats."""
        X = as_eeg(X)
        data = check_eeg(self, X, reset=True, **check_params)
        self.ch_names_: list[str] | None = None
        if isinstance(X, EEGArray) and X.ndim == 3:
            self.ch_names_ = X.ch_names
        return X, data

    def _read(self, X: Signals, **check_params: Any) -> tuple[Signals, np.ndarray]:
        """Validate X after ``fit``; give it with its context and as bare floats."""
        check_is_fitted(self)
        X = as_eeg(X)
        return X, check_eeg(self, X, reset=False, **check_params)

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        """Transform rows that are valid: ``data``, whose context is X's, or that have none."""
        raise NotImplementedError

    def _channel_names(self, input_features: Names | None = None) -> list[str]:
        """Names of the fitted channels: given, the EEGArray's, or EEG000, EEG001 ..."""
        given = check_input_features(self, input_features)
        if len(self.input_shape_) == 1:
            return ["EEG000"]  # the columns are time samples of one channel
        if given is not None:
            return given
        names = self.ch_names_ or [f"EEG{i:03d}" for i in range(self.input_shape_[-2])]
        if len(self.input_shape_) == 2:
            return names
        return [f"{ch}_band{k}" for k in range(self.input_shape_[0]) for ch in names]

    def _gives_table(self) -> bool:
        """Whether the output is rows x features."""
        return False

    def _signals_out(self, names: list[str]) -> list[str]:
        """Names of the output's channels, given those of the input's."""
        return names

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Names of the output's channels, of each band or window where it has several.

        Parameters
        ----------
        input_features : sequence of str, optional
            Channel names to use in place of those that ``fit`` saw. For 2-D input, whose columns
            are time samples, they are checked and not used.

        Returns
        -------
        ndarray of str, shape (n_channels_out,)
        """
        check_is_fitted(self)
        return np.asarray(self._signals_out(self._channel_names(input_features)), dtype=object)

    def set_output(self, *, transform: str | None = None) -> EEGTransformer:
        """Choose the container of 2-D output; what has more dimensions stays an array.

        A pipeline of both can so be told to end in a data frame.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            None leaves it as it is.

        Returns
        -------
        self
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self


def _methods_of_tables(self: EEGTransformer) -> set[str]:
    return {"transform"} if self._gives_table() else set()


class FeatureTransformer(EEGTransformer):
    """Base of the transformers whose output is rows x features."""

    def _gives_table(self) -> bool:
        return True

    def _feature_labels(self) -> Sequence[str]:
        """Names of one channel's features."""
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Names of the output's columns, channel by channel.

        Parameters
        ----------
        input_features : sequence of str, optional
            Channel names to use in place of those that ``fit`` saw. For 2-D input, whose columns
            are time samples, they are checked and not used.

        Returns
        -------
        ndarray of str, shape (n_features_out,)
        """
        check_is_fitted(self)
        labels = self._feature_labels()
        names = [f"{ch}_{label}" for ch in self._channel_names(input_features) for label in labels]
        return np.asarray(names, dtype=object)

    def _as_features(self, X: Signals, out: np.ndarray) -> np.ndarray:
        """Flatten channels and features, and keep the rows' table."""
        out = out.reshape(len(out), -1)
        # Features keep the names, so that a later step knows how many channels there are.
        return carry_rows(X, out, sfreq=None, tmin=0.0, info=None)


class SignalTransformer(EEGTransformer):
    """Base of the transformers that give 2-D for 2-D input and 3-D for 3-D input."""

    def _gives_table(self) -> bool:
        return len(getattr(self, "input_shape_", (1,))) == 1

    def get_feature_names_out(self, input_features: Names | None = None) -> np.ndarray:
        """Names of the output's columns; of signals, of their channels.

        Parameters
        ----------
        input_features : sequence of str, optional
            Names of the input's columns; of signals, of their channels.

        Returns
        -------
        ndarray of str, shape (n_features_out,)
        """
        check_is_fitted(self)
        if len(self.input_shape_) > 1:
            return super().get_feature_names_out(input_features)
        names = check_input_features(self, input_features)
        if names is None:
            known = getattr(self, "feature_names_in_", None)
            names = [f"x{i}" for i in range(self.n_features_in_)] if known is None else list(known)
        return np.asarray(self._columns_out(names), dtype=object)

    def _columns_out(self, names: list[str]) -> list[str]:
        return names


@on_one_thread
def fit_transform(
    self: Any, X: Signals, y: Labels | None = None, **fit_params: Any
) -> np.ndarray:
    """Fit, and transform the same rows.

    Parameters
    ----------
    X : array-like, EEGArray or mne.Epochs
        As for ``fit``.
    y : object, optional
        Ignored.
    **fit_params : dict
        None is known.

    Returns
    -------
    ndarray or EEGArray
        Exactly what ``fit(X).transform(X)`` gives, with everything computed once.
    """
    # The method of transformers that compute in ``fit`` what the fitted rows become.
    if fit_params:
        raise TypeError(f"{type(self).__name__}: fit takes no parameter {list(fit_params)}.")
    return self._fit_and_compute(X)


def check_input_features(
    estimator: BaseEstimator, input_features: Names | None
) -> list[str] | None:
    """Compare names given to ``get_feature_names_out`` with what ``fit`` saw.

    Raises
    ------
    ValueError
        If there are too few or too many, or they are not the fitted data frame's columns.
    """
    if input_features is None:
        return None
    names = [str(name) for name in input_features]
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and names != list(known):
        raise ValueError("input_features is not equal to feature_names_in_")
    shape = estimator.input_shape_
    n = estimator.n_features_in_ if len(shape) < 3 else int(np.prod(shape[:-1]))
    what = "channels" if len(shape) > 1 else "columns"
    if len(names) != n:
        raise ValueError(MESSAGE_LENGTH.format(what=what, n=n, got=len(names)))
    return names
