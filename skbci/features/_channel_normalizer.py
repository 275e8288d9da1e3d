"""Unit norm or z-score of each channel of each row."""

from __future__ import annotations

import numpy as np

from skbci._checks import check_choice, check_count
from skbci._docs import fill_references
from skbci._eegarray.rows import carry_rows
from skbci._typing import Labels, Signals
from skbci.eegarray import EEGArray
from skbci.features._base import SignalTransformer

__all__ = ["ChannelNormalizer"]


@fill_references
class ChannelNormalizer(SignalTransformer):
    r"""Scale each channel of each row by itself.

    Nothing is learned from other rows, so the step is safe inside and outside of
    cross-validation, and what follows cannot depend on the unit of the signal or on an electrode
    that happens to be louder that day.

    Parameters
    ----------
    norm : {"l1", "l2", "zscore"}, default="l1"
        Sum of absolute values 1, sum of squares 1, or mean 0 and standard deviation 1.
    n_channels : int, optional
        How many equal blocks of columns, one a channel, 2-D input has; features in the order
        that `WelchPSD` and `BandEnergy` give. By default the number of the `EEGArray`'s
        ``ch_names``, or, where there are none, the whole row is one block.

    Attributes
    ----------
    n_blocks_ : int
        Channels, or blocks of columns of 2-D input.
    n_features_in_ : int
        Size of the second axis.

    Raises
    ------
    ValueError
        If the columns cannot be divided into ``n_channels`` equal blocks, 3-D input has another
        number of channels, or X has NaN or infinity.

    Notes
    -----
    For the values :math:`v` of one channel of one row,

    .. math:: v / \sum_i |v_i|, \qquad v / \sqrt{\sum_i v_i^2}, \qquad (v - \bar v) / s_v ,

    :math:`s_v` dividing by the number of values. A channel of zeros (for the z-score: of equal
    values) gives zeros. For density features, the l1 norm turns each channel's spectrum into the
    relative power of its frequencies.

    References
    ----------
    .. [1] %(hjb_paper)s, section III.

    Examples
    --------
    >>> import numpy as np
    >>> ChannelNormalizer("l1", n_channels=2).fit_transform([[1.0, 3.0, 2.0, 2.0]])
    array([[0.25, 0.75, 0.5 , 0.5 ]])
    """

    def __init__(self, norm: str = "l1", *, n_channels: int | None = None) -> None:
        self.norm = norm
        self.n_channels = n_channels

    def fit(self, X: Signals, y: Labels | None = None) -> ChannelNormalizer:
        """Check the number of channels.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_features)
            Signals, or features channel by channel.
        y : object, optional
            Ignored.

        Returns
        -------
        self
        """
        check_choice(self.norm, "norm", self, ("l1", "l2", "zscore"))
        X, data = self._read_fit(X, flat="allow")
        given = self.n_channels
        if given is not None:
            given = check_count(given, "n_channels", self)
        width = data.shape[1]
        if data.ndim == 3:
            if given not in (None, width):
                raise ValueError(
                    f"ChannelNormalizer: n_channels={given}, but X has {width} channels (shape "
                    f"{data.shape})."
                )
            self.n_blocks_ = width
            return self
        if given is None and isinstance(X, EEGArray) and X.ch_names:
            given = len(X.ch_names)
        self.n_blocks_ = given or 1
        if width % self.n_blocks_:
            raise ValueError(
                f"ChannelNormalizer: {width} columns cannot be divided into "
                f"n_channels={self.n_blocks_} equal blocks."
            )
        return self

    def transform(self, X: Signals) -> np.ndarray:
        """Scale every channel.

        Parameters
        ----------
        X : array-like, EEGArray or mne.Epochs, shape (n_rows, n_channels, n_times) or \
(n_rows, n_features)
            Signals or features of the fitted channels.

        Returns
        -------
        ndarray or EEGArray
            Of X's shape.
        """
        return self._compute(*self._read(X, flat="allow"))

    def _compute(self, X: Signals, data: np.ndarray) -> np.ndarray:
        out = data if data.ndim == 3 else data.reshape(len(data), self.n_blocks_, -1)
        # Dividing by the largest value first keeps squares from overflow and underflow.
        out = out / _nonzero(np.abs(out).max(axis=-1, keepdims=True))
        if self.norm == "zscore":
            out = out - out.mean(axis=-1, keepdims=True)
            scale = out.std(axis=-1, keepdims=True)
            # What rounding leaves of equal values is not a signal.
            rounding = 8 * np.finfo(out.dtype).eps
            out *= scale > rounding
        elif self.norm == "l2":
            scale = np.sqrt(np.sum(out**2, axis=-1, keepdims=True))
        else:
            scale = np.sum(np.abs(out), axis=-1, keepdims=True)
        out /= _nonzero(scale)
        return carry_rows(X, out.reshape(data.shape))


def _nonzero(scale: np.ndarray) -> np.ndarray:
    return np.where(scale == 0, scale.dtype.type(1), scale)
