"""FBMSNet as a scikit-learn classifier."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from skbci._checks.frequencies import resolve_sfreq
from skbci.estimators._neural.latent import LatentClassifier
from skbci.features import NINE_BANDS, FilterBank
from skbci.nets import FBMSNet

# Rows that are filtered at a time, so that no second copy of all bands is made.
_ROWS = 64


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
        How the losses are weighed: ``"fixed"``, ``"alphagrad"``, ``"alphagrad-lead"``,
        ``"alphagrad-project"``, ``"adamt"``, ``"gradapprox"``, ``"uncertainty"``, ``"dwa"``,
        ``"gradnorm"`` or ``"gramian"``; settings are ``loss_weighting__...``.
    center_lr : float, optional
        Step size of parameters that the losses have of their own, such as the centers of the
        center loss. None: ``lr``.
    max_norm : bool, default=True
        Whether the norms of each unit's weights are bounded, see the network.
    optimizer : str or torch.optim.Optimizer class, default="adam"
        As in `NeuralClassifier`; ``"evdhjb"``, ``"lm"`` and ``"lf"`` are not for several losses.
    lr : float, default=0.001
        Step size.
    max_epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=100
        Rows in a mini-batch; -1 takes all rows at once.
    standardize : bool, default=True
        Scale each channel (of each band) to zero mean and unit variance inside, so that
        predictions do not depend on the unit.
    sparsity : float, default=0.0
        Share of the weights of dense and convolution layers to prune, in [0, 1). Pruned weights
        are zero from the first step to the last, and in `partial_fit`. With 0 none is pruned.
    pruning : str, PruningMethod class or instance, default="snip"
        Which weights stay: ``"snip"`` chooses before training, ``"lottery"`` in rounds of
        training after each of which the weights go back to the start, ``"magnitude"`` after a
        training, which is gone on with; settings are ``pruning__...``. See `skbci.sparsity`.
    early_stopping : bool or "auto", default="auto"
        Hold out validation rows by group and time and stop when ``monitor`` no longer improves;
        the best epoch's weights are kept. See `NeuralClassifier`. ``"auto"``: where there are at
        least six rows to hold out.
    validation_fraction : float, default=0.2
        Share of the rows to hold out, at least.
    n_iter_no_change : int, default=20
        Epochs without improvement before training stops.
    tol : float, default=1e-4
        Smallest change of what is monitored that counts as an improvement.
    monitor : str, optional
        Column of ``history_`` that early stopping and the falling step size go by. None:
        ``"valid_logits"``, the validation loss of the classification, whatever the weights.
        ``"valid_accuracy"``, as published: the share of validation rows that are classified
        right, which is to be large.
    lr_patience : int or None, default=5
        Epochs without improvement before the step size is multiplied by ``lr_factor``. None: it
        stays.
    lr_factor : float, default=0.5
        Between 0 and 1.
    min_lr : float, default=1e-4
        The step size is not lowered beyond this.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    callbacks : list of skorch callbacks or (name, callback) pairs, optional
        Copied for each fit; reached as ``callbacks__name__parameter``.
    device : str, default="cpu"
        Where to train, for example ``"cuda"``.
    verbose : int, default=0
        Prints a line an epoch when not 0.
    random_state : int, RandomState or None, default=None
        Seeds weights, shuffling and the drawn validation groups. The global random states of
        numpy and torch are neither used nor changed.
    **routes
        ``module__...`` (other arguments of `FBMSNet`), ``losses__...``, ``loss_weighting__...``,
        ``optimizer__...`` and ``callbacks__...`` parameters.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    net_ : skorch.NeuralNet
        The fitted net; the torch module is ``net_.module_``.
    history_ : DataFrame
        A row an epoch, with the columns that `NeuralClassifier` lists.
    loss_weighting_ : WeightingPolicy
        The policy, with the weights in force.
    masks_ : dict of str to ndarray of bool
        By the module's parameter names, True where a weight is kept.
    density_ : DataFrame
        Share of the weights that are kept, by parameter and in total.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
        Size of the second axis of the input.
    input_shape_ : tuple of int
        Shape of one row.

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

    Each band and channel is standardized. A pipeline with a `FilterBank` step before gives the
    same to rounding; the filter bank does not look at other rows, so that it may also stand
    before a cross-validation and be done once. Rows x times (2-D) are one channel's epochs.

    References
    ----------
    .. [1] K. Liu et al. (2023). FBMSNet: A Filter-Bank Multi-Scale Convolutional Neural Network
       for EEG-Based Motor Imagery Decoding. IEEE Transactions on Biomedical Engineering.
       doi:10.1109/TBME.2022.3193277
    .. [2] R. Chaisaen, P. Autthasan, A. Ditthapron, T. Wilaiprasitporn (2025). AlphaGrad:
       Normalized Gradient Descent for Adaptive Multi-loss Functions in EEG-based Motor Imagery
       Classification. IEEE Journal of Biomedical and Health Informatics.
       doi:10.1109/JBHI.2025.3572197

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
        bands: Any = NINE_BANDS,
        sfreq: float | None = None,
        kernel_sizes: Any = (15, 31, 63, 125),
        depth: int = 8,
        n_segments: int | None = None,
        shared_layer: bool = False,
        losses: Any = None,
        loss_weighting: Any = "fixed",
        center_lr: float | None = None,
        max_norm: bool = True,
        optimizer: Any = "adam",
        lr: float = 1e-3,
        max_epochs: int = 100,
        batch_size: int = 100,
        standardize: bool = True,
        sparsity: float = 0.0,
        pruning: Any = "snip",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 20,
        tol: float = 1e-4,
        monitor: str | None = None,
        lr_patience: int | None = 5,
        lr_factor: float = 0.5,
        min_lr: float = 1e-4,
        class_weight: Any = None,
        callbacks: Any = None,
        device: str = "cpu",
        verbose: int = 0,
        random_state: Any = None,
        **routes: Any,
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
        self.callbacks = callbacks
        self.device = device
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[Any, dict[str, Any]]:
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
        self, X: Any, data: np.ndarray, reset: bool, dtype: Any = np.float32
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
