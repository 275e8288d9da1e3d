"""FBMSNet as a scikit-learn classifier."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

from skbci._checks.frequencies import resolve_sfreq
from skbci._typing import ClassWeight, Seed, Signals
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._neural.latent import LatentClassifier
from skbci.estimators._route_types import FBMSNetClassifierRoutes
from skbci.features import NINE_BANDS, FilterBank
from skbci.nets import FBMSNet

# Rows that are filtered at a time, so that no second copy of all bands is made.
_ROWS = 64


@fill_doc
class FBMSNetClassifier(LatentClassifier):
    r"""FBMSNet: filter bank, multi-scale convolutions and log-variances, trained by two losses.

    Parameters
    ----------
    bands : sequence of (float, float), default=((4, 8), (8, 12), ..., (36, 40))
        Low and high edge in Hz of the bands into which epochs (n_rows, n_channels, n_times) are
        filtered, by `FilterBank` with zero phase. Rows that come filtered, (n_rows, n_bands,
        n_channels, n_times), are taken as they are.
    sfreq : float, optional
        Sampling rate in Hz. Not needed for rows that come filtered, nor for `mne.Epochs` or an
        `EEGArray`, which know theirs.
    kernel_sizes : sequence of int, default=(15, 31, 63, 125)
        Samples of the temporal kernels, each odd; at most as many as bands.
    depth : int, default=8
        Spatial filters of each map.
    n_segments : int or None, default=None
        Equal parts of time whose log-variances are the features. None: 4, or as many as leave two
        samples each.
    shared_layer : bool, default=False
        Whether a dense layer of the features' size stands before the classifier. Policies that
        compare gradients (AlphaGrad) were published with one. It changes accuracy by itself:
        compare policies with the same setting.
    losses : dict or None, default=None
        A loss, or None, for each of ``"logits"`` and ``"features"``, as in `NeuralClassifier`.
        None: those of the article, cross-entropy and center loss.
    loss_weighting : str, WeightingPolicy class or instance, default="fixed"
        %(loss_weighting)s
    center_lr : float, optional
        %(center_lr)s
    max_norm : bool, default=True
        %(max_norm)s
    optimizer : str or torch.optim.Optimizer class, default="adam"
        %(optimizer_of_several)s
    lr : float, default=0.001
        %(lr)s
    max_epochs : int, default=100
        %(max_epochs_of_several)s
    batch_size : int, default=100
        %(batch_size)s
    standardize : bool, default=True
        %(standardize_of_several)s
    sparsity : float, default=0.0
        %(sparsity)s
    pruning : str, PruningMethod class or instance, default="snip"
        %(pruning)s
    early_stopping : bool or "auto", default="auto"
        %(early_stopping_of_several)s
    validation_fraction : float, default=0.2
        %(validation_fraction)s
    n_iter_no_change : int, default=20
        %(n_iter_no_change)s
    tol : float, default=1e-4
        %(tol)s
    monitor : str, optional
        %(monitor)s
    lr_patience : int or None, default=5
        %(lr_patience)s
    lr_factor : float, default=0.5
        %(lr_factor)s
    min_lr : float, default=1e-4
        %(min_lr)s
    class_weight : dict, "balanced" or None, default=None
        %(class_weight)s
    augmentation : str, Augmentation class or instance, list of them, or None, default=None
        %(augmentation)s
    callbacks : list of skorch callbacks or (name, callback) pairs, optional
        %(callbacks)s
    device : str, default="cpu"
        %(device)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState or None, default=None
        %(random_state_of_several)s
    **routes
        ``module__...`` (other arguments of `FBMSNet`), ``losses__...``, ``loss_weighting__...``,
        ``optimizer__...``, ``pruning__...``, ``augmentation__...`` and ``callbacks__...``
        parameters.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        %(classes)s
    net_ : skorch.NeuralNet
        %(net)s
    history_ : DataFrame
        %(history_of_several)s
    loss_weighting_ : WeightingPolicy
        %(loss_weighting_)s
    masks_ : dict of str to ndarray of bool
        %(masks)s
    density_ : DataFrame
        %(density)s
    n_iter_ : int
        %(n_iter)s
    n_features_in_ : int
        %(n_features_in)s
    input_shape_ : tuple of int
        %(input_shape)s

    See Also
    --------
    skbci.nets.FBMSNet : The network.
    skbci.features.FilterBank : The filter bank as a step of its own.
    MIN2NetClassifier : An autoencoder with a triplet loss.
    NeuralClassifier : The same around any module.

    Notes
    -----
    The defaults are the protocol of [2]_: Adam at 1e-3, halved after 5 epochs without progress
    down to 1e-4, stopped after 20, at most 100 epochs, best epoch restored. Mini-batches are of
    100 rows, for training across subjects; within a subject the articles take 10:
    ``batch_size=10``. What is monitored is the classification loss on the validation rows, the
    same for every policy.

    On new people it is behind linear models: on imagined fists, trained on 50 people and tested on
    ten, three splits (``examples/papers/alphagrad.py``), .662 with these defaults where each
    person is aligned, and .587 where not; `skbci.baselines.csp_lda`, aligned, has .681 over six
    folds of the same people.

    Each band and channel is standardized. A pipeline with a `FilterBank` step before gives the
    same to rounding; the filter bank does not look at other rows, so that it may also stand
    before a cross-validation and be done once. Rows x times (2-D) are one channel's epochs.

    References
    ----------
    .. [1] %(fbmsnet_paper)s
    .. [2] %(alphagrad_paper)s

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((24, 3, 100)) * 1e-5
    >>> y = np.tile(["left", "right"], 12)
    >>> clf = FBMSNetClassifier(
    ...     sfreq=100, shared_layer=True, loss_weighting="alphagrad", max_epochs=2, depth=2,
    ...     random_state=0)
    >>> clf.fit(X, y).transform(X).shape  # 4 kernels, 9 maps, 2 filters, 4 segments
    (24, 288)
    """

    _latent_head = "features"
    _paper_losses = {"logits": "cross-entropy", "features": "center"}
    _filter_bank_: FilterBank | None
    _peak_: float

    def __init__(
        self,
        *,
        bands: Sequence[tuple[float, float]] = NINE_BANDS,
        sfreq: float | None = None,
        kernel_sizes: Sequence[int] = (15, 31, 63, 125),
        depth: int = 8,
        n_segments: int | None = None,
        shared_layer: bool = False,
        losses: like.Losses = None,
        loss_weighting: like.Weighting = "fixed",
        center_lr: float | None = None,
        max_norm: bool = True,
        optimizer: like.Optimizer = "adam",
        lr: float = 1e-3,
        max_epochs: int = 100,
        batch_size: int = 100,
        standardize: bool = True,
        sparsity: float = 0.0,
        pruning: like.Pruning = "snip",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 20,
        tol: float = 1e-4,
        monitor: str | None = None,
        lr_patience: int | None = 5,
        lr_factor: float = 0.5,
        min_lr: float = 1e-4,
        class_weight: ClassWeight = None,
        augmentation: like.Augmentation = None,
        callbacks: like.Callbacks = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Seed = None,
        **routes: Unpack[FBMSNetClassifierRoutes],
    ) -> None:
        self.bands = bands
        self.sfreq = sfreq
        self.kernel_sizes = kernel_sizes
        self.depth = depth
        self.n_segments = n_segments
        self.shared_layer = shared_layer
        self.losses = losses
        self.loss_weighting = loss_weighting
        self.center_lr = center_lr
        self.max_norm = max_norm
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.sparsity = sparsity
        self.pruning = pruning
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.monitor = monitor
        self.lr_patience = lr_patience
        self.lr_factor = lr_factor
        self.min_lr = min_lr
        self.class_weight = class_weight
        self.augmentation = augmentation
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        names = ("kernel_sizes", "depth", "n_segments", "shared_layer", "max_norm")
        settings = self._settings_of(*names)
        n_times = self.input_shape_[-1]
        if n_times < 2:
            raise ValueError(
                f"{type(self).__name__} takes the variance over time and needs at least two "
                f"samples a row, got n_features={n_times}."
            )
        if settings["n_segments"] is None:
            settings["n_segments"] = min(4, n_times // 2)
        return FBMSNet, settings

    def _prepare(
        self, X: Signals, data: np.ndarray, reset: bool, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        if data.ndim == 4:
            return data
        rows = data[:, np.newaxis] if data.ndim == 2 else data
        if reset:
            sfreq = resolve_sfreq(self.sfreq, X, self)
            self._filter_bank_ = FilterBank(self.bands, sfreq=sfreq).fit(rows)
            self._peak_ = float(max(rows.max(), -rows.min())) or 1.0
        assert self._filter_bank_ is not None
        bank = copy.copy(self._filter_bank_)
        bank.dtype = "float64" if data.ndim == 2 else np.dtype(dtype).name
        kind = data.dtype if data.ndim == 2 else dtype
        out = np.empty((len(rows), len(bank.bands_), *rows.shape[1:]), kind)
        for a in range(0, len(rows), _ROWS):
            part = rows[a : a + _ROWS]
            if data.ndim == 3:  # without a unit, volts and microvolts round alike
                part = part / self._peak_
            out[a : a + _ROWS] = bank.transform(part)
        return out
