"""MIN2Net as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import torch
from numpy.typing import DTypeLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skbci._checks.eeg import FLOATS
from skbci._training import one_thread
from skbci._typing import ClassWeight, Seed, Signals
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._neural.latent import LatentClassifier
from skbci.estimators._route_types import MIN2NetClassifierRoutes
from skbci.nets import MIN2Net


@fill_doc
class MIN2NetClassifier(LatentClassifier):
    r"""MIN2Net: an autoencoder of epochs whose latent is classified, trained by three losses.

    Parameters
    ----------
    latent_dim : int or None, default=None
        Size of the latent. None: ``int(n_channels * n_classes / 2)`` for each band, at least one.
    subsampling : int or None, default=None
        The first pooling is over ``n_times // subsampling`` samples. None: 100, or all samples
        where there are fewer.
    pooling : int or None, default=None
        Samples of the second pooling. None: 4, or what there is if that is less.
    kernel_sizes : (int, int), default=(64, 32)
        Samples of the outer and the inner convolutions.
    losses : dict or None, default=None
        A loss, or None, for each of ``"logits"``, ``"latent"`` and ``"reconstruction"``, as in
        `NeuralClassifier`. None: those of the article, cross-entropy, semi-hard triplet (of
        embeddings of length one) and mean squared reconstruction of the standardized input.
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
        ``module__...`` (other arguments of `MIN2Net`), ``losses__...``, ``loss_weighting__...``,
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
    skbci.nets.MIN2Net : The network.
    FBMSNetClassifier : A network for filter-bank epochs.
    NeuralClassifier : The same around any module.

    Notes
    -----
    The defaults are the protocol of [1]_ and [2]_: Adam at 1e-3, halved after 5 epochs without
    progress down to 1e-4, stopped after 20, at most 100 epochs, best epoch restored. Mini-batches
    are of 100 rows, for training across subjects; within a subject the articles take 10:
    ``batch_size=10``. The articles' signals are 4 s at 100 Hz, filtered to 8-30 Hz. What is
    monitored is the classification loss on the validation rows, the same for every policy.

    On new people it is behind linear models: on imagined fists, rhythms of 7 Hz and up, trained on
    50 people and tested on ten, aligned, six folds (``examples/papers/alphagrad.py``), .607 with
    AlphaGrad's weights, where `skbci.baselines.csp_lda` has .680. On the people that it was
    trained on it has .827, so that more training does not help. With the signal below 7 Hz it has
    .779, all of it from what is below 4 Hz.

    Rows x times (2-D) are one channel's epochs. For the treatment of mini-batches, weights and
    divergence see `NeuralClassifier`.

    References
    ----------
    .. [1] %(min2net_paper)s
    .. [2] %(alphagrad_paper)s

    Examples
    --------
    >>> from skbci.datasets import make_motor_imagery
    >>> data = make_motor_imagery(n_subjects=1, n_trials=40, random_state=0)
    >>> clf = MIN2NetClassifier(loss_weighting="alphagrad", max_epochs=3, random_state=0)
    >>> latent = clf.fit(data.X, data.y).transform(data.X)
    >>> latent.shape[0] == len(data.X), clf.inverse_transform(latent).shape == data.X.shape
    (True, True)
    >>> [name for name in clf.history_ if name.startswith("weight")]
    ['weight_logits', 'weight_latent', 'weight_reconstruction']
    """

    _latent_head = "latent"
    _paper_losses = {
        "logits": "cross-entropy", "latent": "triplet", "reconstruction": "reconstruction",
    }

    def __init__(
        self,
        *,
        latent_dim: int | None = None,
        subsampling: int | None = None,
        pooling: int | None = None,
        kernel_sizes: Sequence[int] = (64, 32),
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
        **routes: Unpack[MIN2NetClassifierRoutes],
    ) -> None:
        self.latent_dim = latent_dim
        self.subsampling = subsampling
        self.pooling = pooling
        self.kernel_sizes = kernel_sizes
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

    def inverse_transform(self, X: Signals) -> np.ndarray:
        """Return the epochs that belong to latents, by the decoder.

        Parameters
        ----------
        X : array-like, shape (n_rows, latent_dim)
            What `transform` gives.

        Returns
        -------
        ndarray of float, shape (n_rows, n_channels, n_times)
            Reconstructed rows, in the unit and the shape of those seen in `fit`.
        """
        check_is_fitted(self, "net_")
        latent = check_array(np.asarray(X), dtype=FLOATS)
        if latent.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {latent.shape[1]} features, but the latent of {type(self).__name__} has "
                f"{self._n_features_out}."
            )
        with one_thread():
            rows = self._apply(lambda net, part: net.decode(part), torch.tensor(latent))
        out = rows.cpu().numpy()
        if self._standardizer_ is not None:
            out = self._standardizer_.inverse_transform(out)
        return out.reshape(len(out), *self.input_shape_)

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        names = ("latent_dim", "subsampling", "pooling", "kernel_sizes", "max_norm")
        return MIN2Net, self._settings_of(*names)

    def _prepare(
        self, X: Signals, data: np.ndarray, reset: bool, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        return data[:, np.newaxis] if data.ndim == 2 else data

    def _logits(self, module: Any, X: Tensor) -> Tensor:
        return module.classifier(module.encode(X))  # without the decoder

    def _latent(self, module: Any, X: Tensor) -> Tensor:
        return module.encode(X)
