"""A scikit-learn classifier around any torch module."""

from __future__ import annotations

from typing import Any

from skbci._training import HeadPlan, LossPlan
from skbci._typing import ClassWeight, Seed
from skbci.estimators import _setting_types as like
from skbci.estimators._docs import fill_doc
from skbci.estimators._neural.classifier import BaseNeuralClassifier
from skbci.nets import MLP


@fill_doc
class NeuralClassifier(BaseNeuralClassifier):
    r"""Train any torch module as a scikit-learn classifier.

    Parameters
    ----------
    module : torch.nn.Module class, factory or instance, default=MLP
        Gives logits (n_rows, n_classes). Where its constructor has them, ``n_features``,
        ``n_bands``, ``n_channels`` or ``n_chans``, ``n_times``, ``n_outputs`` or ``n_classes`` and
        ``sfreq`` are taken from the data; everything else is ``module__...``. An instance is
        copied and trained from the weights it has.
    criterion : str, torch loss class or instance, default="cross-entropy"
        ``"cross-entropy"`` (softmax over the logits), ``"binary-cross-entropy"`` (one sigmoid unit
        a class, as in the HJB paper), or any torch loss on (logits, class indices). Not used when
        ``losses`` is given.
    losses : dict of str to str, torch loss class, instance or None, default=None
        A loss for each output that the module names in its ``head_names``; None for an output that
        is trained by no loss of its own. Names are ``"cross-entropy"``,
        ``"binary-cross-entropy"``, ``"triplet"`` (`SemiHardTripletLoss`), ``"center"``
        (`CenterLoss`) and ``"reconstruction"`` (`ReconstructionLoss`); settings are
        ``losses__head__...``. A loss between arrays (the reconstruction, torch's ``MSELoss`` and
        its like, or any with the attribute ``target = "input"``) gets the standardized input, all
        others get class indices. Row weights go to losses that give one value per row or take
        ``sample_weight``. None: the criterion on the module's first output.
    loss_weighting : str, WeightingPolicy class or instance, default="fixed"
        How the losses are weighed: ``"fixed"``, ``"alphagrad"``, ``"alphagrad-lead"``,
        ``"alphagrad-project"``, ``"adamt"``, ``"gradapprox"`` (needs early stopping),
        ``"uncertainty"``, ``"dwa"``, ``"gradnorm"`` or ``"gramian"``; settings are
        ``loss_weighting__...``. A policy that compares gradients does so at the module's
        ``shared_parameter``.
    center_lr : float, optional
        %(center_lr)s
    optimizer : str or torch.optim.Optimizer class, default="hjb"
        ``"hjb"``, ``"hjb-ad"``, ``"evdhjb"``, ``"lm"``, ``"lf"``, ``"adam"``, ``"adamw"``,
        ``"adagrad"``, ``"rmsprop"``, ``"sgd"``, ``"hjb-momentum"``, ``"hjb-nesterov"``,
        ``"hjb-rmsprop"``, ``"hjb-adam"``, ``"hjb-adamw"`` or a class; its settings are
        ``optimizer__...``; with ``optimizer__averaging=True`` HJB's averaged iterate predicts. The
        rules of `skbci.optim` get the loss summed over the mini-batch, all others its mean.
        ``"evdhjb"``, ``"lm"`` and ``"lf"`` step by the error of one output and refuse several
        losses.
    lr : float, optional
        %(lr_of_optimizer)s
    max_epochs : int, default=100
        %(max_epochs)s
    batch_size : int, default=128
        %(batch_size)s
    standardize : bool, default=True
        %(standardize)s
    sparsity : float, default=0.0
        %(sparsity)s
    pruning : str, PruningMethod class or instance, default="snip"
        %(pruning)s
    early_stopping : bool or "auto", default=False
        Hold out validation rows by group and time, stop when their loss no longer improves, and
        keep the best epoch's weights. Groups come from ``fit(groups=...)`` or from the metadata of
        an `EEGArray` (subject, else session, else run); without any, the last rows in time are
        held out, and training rows that overlap them are dropped. ``"auto"``: where there are at
        least six rows to hold out.
    validation_fraction : float, default=0.2
        %(validation_fraction)s
    n_iter_no_change : int, default=10
        %(n_iter_no_change)s
    tol : float, default=1e-4
        %(tol)s
    monitor : str, optional
        Column of ``history_``, to be small, that early stopping and the falling learning rate go
        by. None: ``"valid_loss"``; with ``losses``, the validation loss of the module's first
        output (``"valid_logits"``, say). The weighted sum is no guide where weights change from
        epoch to epoch, and policies are compared by one and the same column.
        ``"valid_accuracy"`` is the share of validation rows that are classified right; it is the
        one that is to be large.
    lr_patience : int, optional
        Epochs without improvement before the learning rate is multiplied by ``lr_factor``. Without
        early stopping the training loss is monitored. None: it stays.
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
    accelerate : bool, default=False
        Whether to compute, in training on the CPU, the module's depthwise convolutions (one of
        the input's channels for each output, as in EEGNet) by matrix products and spectra, which
        is faster than by torch's own. Gradients are equal but for rounding, and the module with
        its weights stays what it is.
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState or None, default=None
        %(random_state)s
    **routes
        ``module__...``, ``optimizer__...``, ``criterion__...``, ``losses__...``,
        ``loss_weighting__...``, ``pruning__...``, ``augmentation__...`` and ``callbacks__...``
        parameters.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        %(classes)s
    net_ : skorch.NeuralNet
        %(net)s
    history_ : DataFrame
        One row per epoch: ``train_loss``, ``valid_loss`` (means over rows), ``dur`` (seconds), and
        ``lr`` where it may fall. With ``losses`` these two are weighted sums, and each head h has
        ``train_h`` and ``valid_h`` (mean losses without weights), ``weight_h`` and, where the
        policy compares gradients, ``gradient_norm_h`` (means over the epoch's batches);
        ``valid_loss`` is the sum of ``weight_h * valid_h``.
    loss_weighting_ : WeightingPolicy
        With ``losses``: the policy, with the weights in force.
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
    MLPClassifier : The same around fully connected layers.
    MIN2NetClassifier : An autoencoder with a triplet loss.
    FBMSNetClassifier : Filter bank, multi-scale convolutions and a center loss.

    Notes
    -----
    On the CPU torch runs on one thread during fit and predict, so that a fit gives the same bits
    in every process: parallelize over folds and candidates with ``n_jobs``. A loss that is not
    finite stops training with a `sklearn.exceptions.ConvergenceWarning`, and the last weights
    known to be good are kept. A last mini-batch of a single row joins the one before it, as batch
    normalization cannot train on one row. If the module has a method ``apply_max_norm``, it is
    called after each step.

    With the K losses :math:`L_k`, each a mean over the rows of the mini-batch, and weights
    :math:`w_k` that sum to K, :math:`\sum_k w_k L_k` is minimized, or for the rules that take a
    sum over the mini-batch that times its number of rows. Weights are all one at the start.
    Validation losses are means over the same mini-batches in every epoch. With several losses,
    row weights that are whole numbers count rows: a row of weight two is two rows, to the triplet
    loss and to batch normalization, too.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> class TwoLayers(nn.Module):
    ...     def __init__(self, n_channels, n_times, n_outputs, width=8):
    ...         super().__init__()
    ...         self.layers = nn.Sequential(
    ...             nn.Conv1d(n_channels, width, 5), nn.ELU(), nn.AdaptiveAvgPool1d(1),
    ...             nn.Flatten(), nn.Linear(width, n_outputs))
    ...     def forward(self, X):
    ...         return self.layers(X)
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["left", "right"], 40)
    >>> X = rng.normal(size=(80, 3, 50)) * 1e-5  # volts
    >>> X[:40, 0] += 1e-5
    >>> clf = NeuralClassifier(TwoLayers, module__width=4, optimizer="hjb", random_state=0)
    >>> clf.fit(X, y).score(X, y) > 0.9
    True

    Two heads:

    >>> class Autoencoder(nn.Module):
    ...     head_names = ("logits", "copy")
    ...     def __init__(self, n_channels, n_times, n_outputs):
    ...         super().__init__()
    ...         self.shared = nn.Linear(n_channels * n_times, 6)
    ...         self.logits = nn.Linear(6, n_outputs)
    ...         self.copy = nn.Linear(6, n_channels * n_times)
    ...     @property
    ...     def shared_parameter(self):
    ...         return self.shared.weight
    ...     def forward(self, X):
    ...         code = self.shared(X.flatten(1)).relu()
    ...         return self.logits(code), self.copy(code).view(X.shape)
    >>> clf = NeuralClassifier(
    ...     Autoencoder, losses={"logits": "cross-entropy", "copy": "reconstruction"},
    ...     loss_weighting="alphagrad", loss_weighting__lr=0.1, max_epochs=5, random_state=0)
    >>> clf.fit(X, y).history_[["weight_logits", "weight_copy"]].sum(axis=1).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """

    _route_prefixes = (
        "module", "criterion", "optimizer", "pruning", "augmentation", "callbacks", "losses",
        "loss_weighting",
    )
    _early_stopping_words = ("auto",)

    def __init__(
        self,
        module: like.Module = MLP,
        *,
        criterion: like.Criterion = "cross-entropy",
        losses: like.Losses = None,
        loss_weighting: like.Weighting = "fixed",
        center_lr: float | None = None,
        optimizer: like.Optimizer = "hjb",
        lr: float | None = None,
        max_epochs: int = 100,
        batch_size: int = 128,
        standardize: bool = True,
        sparsity: float = 0.0,
        pruning: like.Pruning = "snip",
        early_stopping: bool | str = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        monitor: str | None = None,
        lr_patience: int | None = None,
        lr_factor: float = 0.5,
        min_lr: float = 1e-4,
        class_weight: ClassWeight = None,
        augmentation: like.Augmentation = None,
        callbacks: like.Callbacks = None,
        device: str = "cpu",
        accelerate: bool = False,
        verbose: int = 0,
        random_state: Seed = None,
        **routes: Any,  # those of the module have any name
    ) -> None:
        self.module = module
        self.criterion = criterion
        self.losses = losses
        self.loss_weighting = loss_weighting
        self.center_lr = center_lr
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
        self.accelerate = accelerate
        self.verbose = verbose
        self.random_state = random_state
        self.__dict__.update(routes)

    def _module_and_settings(self) -> tuple[like.Module, dict[str, Any]]:
        return self.module, self._route("module")

    def _loss_plan(self) -> LossPlan:
        if self.losses is None:
            return self._one_loss(self._set_of_several_losses())
        set_too = self.criterion != "cross-entropy" or self._route("criterion")
        return HeadPlan(
            self.losses, self._route("losses"), *self._weighting(), self.center_lr,
            self.criterion if set_too else None,
        )

    def _set_of_several_losses(self) -> list[str]:
        """Name the settings that are about several losses."""
        given = [f"losses__{key}" for key in self._route("losses")]
        given += [f"loss_weighting__{key}" for key in self._route("loss_weighting")]
        unset = isinstance(self.loss_weighting, str) and self.loss_weighting == "fixed"
        if not unset:
            given.append(f"loss_weighting={self.loss_weighting!r}")
        if self.center_lr is not None:
            given.append(f"center_lr={self.center_lr!r}")
        return given
