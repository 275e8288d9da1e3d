"""Curves of the loss for several learning rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.metrics import log_loss
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, indexable

from skbci._checks import (
    check_count,
    check_fits,
    check_flag,
    check_list,
    check_number,
    check_seed,
    check_splitter,
    is_number,
    refusal,
)
from skbci._checks.eeg import as_eeg
from skbci._process.quiet import without_warnings
from skbci._typing import AxesLike, Labels, Seed, Signals, Splitter
from skbci.display._style import check_axes, clean, line_style, log_ticks
from skbci.evaluation import history_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["StabilityDisplay"]

_COLUMNS = ("optimizer", "lr", "epoch", "train_loss", "test_loss")
_ROWS = {"train_loss": "training loss", "test_loss": "generalization loss"}


class StabilityDisplay:
    """Training and generalization loss over epochs for several learning rates and optimizers.

    Use :meth:`from_estimator` or :meth:`from_histories` to make one.

    Parameters
    ----------
    curves : DataFrame
        A row for each ``optimizer``, ``lr`` and ``epoch`` with the losses ``train_loss`` and
        ``test_loss``; NaN from where training diverged.
    loss_name : str, default="loss"
        What the losses are, for the axes.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (2, n_lrs)
        Training loss above, generalization loss below; a column for each learning rate.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of (optimizer, lr, loss) to Line2D
        The curves.

    See Also
    --------
    ConvergenceDisplay : One curve an optimizer, over epochs or seconds.
    skbci.model_selection.largest_stable_step : Chooses a learning rate.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from skbci.display import StabilityDisplay
    >>> from skbci.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> display = StabilityDisplay.from_estimator(
    ...     MLPClassifier((10,), batch_size=16, random_state=0), X, y,
    ...     optimizers=["hjb", "sgd"], lrs=[0.1, 1.0], n_epochs=5)
    >>> display.axes_.shape, len(display.curves)
    ((2, 2), 20)
    """

    def __init__(self, *, curves: pd.DataFrame, loss_name: str = "loss") -> None:
        self.curves = curves
        self.loss_name = loss_name

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Signals,
        y: Labels,
        *,
        lrs: Sequence[float] = (0.01, 0.1, 1.0, 5.0),
        optimizers: Sequence[str] = ("hjb", "hjb-ad", "adam", "adagrad", "rmsprop", "sgd"),
        n_epochs: int = 100,
        cv: Splitter = None,
        groups: Labels | None = None,
        random_state: Seed = 0,
        progress: bool = False,
        axes: AxesLike = None,
    ) -> StabilityDisplay:
        """Train with every optimizer and learning rate, and draw the losses.

        Parameters
        ----------
        estimator : neural estimator or Pipeline that ends with one
            Anything with ``partial_fit`` and the parameters ``optimizer`` and ``lr``. The steps
            before it are fitted once on the training rows.
        X : array-like or EEGArray, shape (n_rows, ...)
            Rows.
        y : array-like, shape (n_rows,)
            Targets.
        lrs : sequence of float, default=(0.01, 0.1, 1.0, 5.0)
            Learning rates; the default is the HJB paper's.
        optimizers : sequence of str, default: all first-order ones with a name
            Names, as the estimator takes them.
        n_epochs : int, default=100
            Passes over the training rows.
        cv : int, splitter or iterable of splits, optional
            The curves are means over its splits. None: one half of the rows, drawn at random,
            trains, the other tests.
        groups : array-like, optional
            For the splitter.
        random_state : int, RandomState or None, default=0
            Seeds the order of the rows in each epoch, and the default split.
        progress : bool, default=False
            Whether to show a progress bar.
        axes : array of matplotlib Axes, optional
            As in :meth:`plot`.

        Returns
        -------
        StabilityDisplay

        Notes
        -----
        Both losses are measured after each epoch with the network as it predicts, that is without
        dropout: log-loss of classifiers, mean squared error of regressors.
        """
        for name, value in (("X", X), ("y", y), ("groups", groups)):
            if value is not None and (isinstance(value, type) or not hasattr(value, "__len__")):
                raise TypeError(refusal(value, name, cls.__name__, "must hold an entry a row"))
        X, y, groups = indexable(as_eeg(X), np.asarray(y), groups)
        n_epochs = check_count(n_epochs, "n_epochs", cls.__name__)
        check_fits(estimator, "estimator", cls.__name__)
        check_flag(progress, "progress", cls.__name__)
        check_axes(axes, "axes", cls.__name__)
        lrs = check_list(lrs, "lrs", cls.__name__, "numbers")
        for lr in lrs:
            check_number(lr, "lrs", cls.__name__, low=0)
        optimizers = check_list(optimizers, "optimizers", cls.__name__, "names")
        regression = is_regressor(estimator)
        seed = _seed(random_state)  # one for all: they see the same rows in the same order
        if cv is None:
            half = ShuffleSplit if regression else StratifiedShuffleSplit
            cv = half(1, test_size=0.5, random_state=seed)
        splitter = check_cv(check_splitter(cv, "cv", cls.__name__), y, classifier=not regression)
        runs: list[pd.DataFrame] = []
        jobs = [(train, test, optimizer, lr)
                for train, test in splitter.split(X, y, groups)
                for optimizer in optimizers for lr in lrs]
        if not jobs:
            raise ValueError(
                f"{cls.__name__}: cv, optimizers and lrs must hold at least one split, optimizer "
                "and learning rate."
            )
        for train, test, optimizer, lr in _ticking(jobs, progress):
            learn, check = (
                (_safe_indexing(X, rows), _safe_indexing(y, rows)) for rows in (train, test)
            )
            losses = _train(estimator, learn, check, optimizer, lr, n_epochs, seed)
            runs.append(losses.assign(optimizer=optimizer, lr=float(lr)))
        every = pd.concat(runs, ignore_index=True)
        # A mean with a diverged split in it is that of a diverged training.
        keys = ["optimizer", "lr", "epoch"]
        curves = every.groupby(keys, sort=False, as_index=False).agg(
            dict.fromkeys(_ROWS, _strict_mean)
        )
        loss_name = "mean squared error" if regression else "log-loss"
        return cls(curves=curves, loss_name=loss_name).plot(axes=axes)

    @classmethod
    def from_histories(
        cls, histories: Mapping[tuple[str, float], pd.DataFrame], *, axes: AxesLike = None
    ) -> StabilityDisplay:
        """Draw given histories.

        Parameters
        ----------
        histories : dict of (optimizer, lr) to DataFrame
            ``history_`` of neural estimators; their ``valid_loss``, where they were trained with
            early stopping, is taken for the generalization loss.
        axes : array of matplotlib Axes, optional
            As in :meth:`plot`.

        Returns
        -------
        StabilityDisplay
        """
        if not isinstance(histories, Mapping) or not histories:
            raise ValueError(
                f"{cls.__name__}: histories must be a dict with at least one history."
            )
        parts = []
        for key, history in histories.items():
            if not (isinstance(key, tuple) and len(key) == 2 and is_number(key[1])):
                because = "must be a dict whose keys are pairs (optimizer, learning rate)"
                raise TypeError(refusal(key, "a key of histories", cls.__name__, because))
            (optimizer, lr), history = key, history_table(history)
            if "train_loss" not in history:
                raise ValueError(f"{cls.__name__}: the history of {key} has no 'train_loss'.")
            columns = {"train_loss": history["train_loss"].to_numpy(dtype=float)}
            for name in ("test_loss", "valid_loss"):
                if name in history:
                    columns.setdefault("test_loss", history[name].to_numpy(dtype=float))
            columns.setdefault("test_loss", np.full(len(history), np.nan))
            parts.append(pd.DataFrame(columns).assign(
                optimizer=optimizer, lr=float(lr), epoch=np.arange(1, len(history) + 1)
            ))
        return cls(curves=pd.concat(parts, ignore_index=True)[list(_COLUMNS)]).plot(axes=axes)

    def plot(self, *, axes: AxesLike = None, log: bool = True) -> StabilityDisplay:
        """Draw the picture.

        Parameters
        ----------
        axes : array of matplotlib Axes, shape (2, n_lrs), optional
            Axes to draw on. None: a new figure.
        log : bool, default=True
            Whether the loss axes are logarithmic.

        Returns
        -------
        StabilityDisplay
            This object, with the attributes that end in ``_``.

        Raises
        ------
        ValueError
            If a column is missing, or the axes have another shape.
        """
        if missing := [name for name in _COLUMNS if name not in self.curves]:
            raise ValueError(f"StabilityDisplay: curves has no column {missing[0]!r}.")
        lrs = sorted(self.curves["lr"].unique())
        self.axes_ = self._axes(axes, len(lrs))
        self.figure_ = self.axes_[0, 0].figure
        self.lines_: dict[tuple[str, float, str], Line2D] = {}
        names = list(dict.fromkeys(self.curves["optimizer"]))
        for row, loss in enumerate(_ROWS):
            for column, lr in enumerate(lrs):
                ax = self.axes_[row, column]
                for place, name in enumerate(names):
                    curve = self.curves.query("optimizer == @name and lr == @lr")
                    self._curve(ax, curve, loss, place, name, float(lr))
                clean(ax)
                if row == 0:
                    ax.set_title(f"η = {lr:g}", fontsize="medium")
                else:
                    ax.set_xlabel("epoch")
            for ax in self.axes_[row] if log else ():
                log_ticks(ax)
            self.axes_[row, 0].set_ylabel(f"{_ROWS[loss]}\n({self.loss_name})")
        self.axes_[0, -1].legend(loc="upper left", bbox_to_anchor=(1.03, 1.0), frameon=False,
                                 borderaxespad=0)
        return self

    def _curve(
        self, ax: Axes, curve: pd.DataFrame, loss: str, place: int, name: str, lr: float
    ) -> None:
        style = line_style(place)
        values = curve[loss].to_numpy()
        (line,) = ax.plot(curve["epoch"], values, label=name, linewidth=1.4, **style)
        self.lines_[name, lr, loss] = line
        ended = np.flatnonzero(np.isfinite(values))
        if 0 < len(ended) < len(values) and np.isnan(values[-1]):
            ax.plot(curve["epoch"].iloc[ended[-1]], values[ended[-1]], marker="x", markersize=6,
                    color=style["color"], markeredgewidth=1.6)

    @staticmethod
    def _axes(axes: AxesLike, n_lrs: int) -> np.ndarray:
        if check_axes(axes, "axes", "StabilityDisplay") is None:
            import matplotlib.pyplot as plt

            _, axes = plt.subplots(
                2, n_lrs, figsize=(1.6 + 2.3 * n_lrs, 5.0), sharex=True, sharey="row",
                squeeze=False, layout="constrained",
            )
        axes = np.asarray(axes)
        if axes.shape != (2, n_lrs):
            raise ValueError(
                f"axes has shape {axes.shape}; two rows (training, generalization) of {n_lrs} "
                "columns (learning rates) are needed."
            )
        return axes


def _strict_mean(values: pd.Series) -> float:
    return float(values.mean(skipna=False))


def _seed(random_state: Seed) -> int:
    if isinstance(random_state, (int, np.integer)):
        check_seed(random_state, "random_state", "StabilityDisplay")
        return int(random_state)
    return int(check_seed(random_state, "random_state", "StabilityDisplay").randint(2**31 - 1))


def _ticking(jobs: list[Any], progress: bool) -> Iterable[Any]:
    from tqdm.auto import tqdm

    return tqdm(jobs, desc="stability", unit="fit", disable=not progress)


def _train(
    estimator: BaseEstimator, train: tuple, test: tuple, optimizer: str, lr: float, n_epochs: int,
    seed: int,
) -> pd.DataFrame:
    """Losses after each epoch; NaN from where training diverged."""
    (X, y), (X_test, y_test) = train, test
    if isinstance(estimator, Pipeline):
        before, network = clone(estimator[:-1]), estimator[-1]
        X = before.fit_transform(X, y)
        X_test = before.transform(X_test)
    else:
        network = estimator
    network = clone(network).set_params(optimizer=optimizer, lr=lr)
    first = {} if is_regressor(network) else {"classes": np.unique(y)}
    random = np.random.RandomState(seed)
    losses = np.full((n_epochs, 2), np.nan)
    with without_warnings():  # a divergence is shown in the picture
        for epoch in range(n_epochs):
            rows = random.permutation(len(y))
            network.partial_fit(_safe_indexing(X, rows), y[rows], **first)
            history = getattr(network, "history_", None)
            if history is not None and not np.isfinite(history["train_loss"].iloc[-1]):
                break
            losses[epoch] = _loss(network, X, y), _loss(network, X_test, y_test)
            if not np.isfinite(losses[epoch]).all():
                break
    return pd.DataFrame({"epoch": np.arange(1, n_epochs + 1), "train_loss": losses[:, 0],
                         "test_loss": losses[:, 1]})


def _loss(network: BaseEstimator, X: Signals, y: np.ndarray) -> float:
    if is_regressor(network):
        return float(np.mean((network.predict(X) - y) ** 2))
    return float(log_loss(y, network.predict_proba(X), labels=network.classes_))
