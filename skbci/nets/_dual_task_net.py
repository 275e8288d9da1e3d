"""A compact EEG network with shared feature layers and private layers for each task."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from skbci._checks import check_count, check_flag, check_number
from skbci._docs import fill_references
from skbci.nets._dead_units import drop_dead_units
from skbci.nets._depthwise_conv import SameDepthwiseConv1d
from skbci.nets._max_norm import MaxNormModule

_LEAST_SQUARE = 1e-6
# Of the heads' usual weights at the start.
_HEAD_SCALE = 0.1


@fill_references
class DualTaskNet(MaxNormModule):
    r"""A convolutional trunk that tasks share, with private layers and a head for each of them.

    Parameters
    ----------
    n_channels : int
        Number C of channels.
    n_times : int
        Number T of samples of a row.
    tasks : mapping of str to int
        Number of classes of each task, such as ``{"imagery": 3, "execution": 3}``; one task or
        more.
    n_filters : int, default=16
        Spatial filters, each followed by a temporal kernel of its own.
    kernel_size : int, default=65
        Samples of the temporal kernels.
    pooling : int, default=32
        Samples over which amplitudes are taken.
    n_maps : int, default=16
        Maps that the separable convolution gives.
    separable_size : int, default=5
        Length of its temporal kernels, in pooled samples.
    map_pooling : int, default=4
        Pooled samples over which the maps are averaged.
    n_hidden : int or mapping of str to int, default=16
        Units of the private layer; a mapping gives each task its number.
    dropout : float, default=0.25
        Probability of dropping a value after each pooling and in the private layers.
    max_norm : bool, default=True
        Whether the norms of each unit's weights are bounded: by 2 in the spatial filters and by
        0.5 in the heads. They are at the start; the training loop calls `apply_max_norm` after
        each step.

    Attributes
    ----------
    head_names : tuple of str
        The tasks, in the order in which ``forward`` returns their logits.
    n_features : int
        Size of what the trunk gives to each task.
    shared_parameter : Parameter
        Weight of the last layer that all tasks share, the separable convolution's mixing.

    Raises
    ------
    ValueError
        If a size is too small, there are too few samples for kernels and pooling, no task is
        named, or a name is not allowed.
    TypeError
        If a size is not an integer, or ``tasks`` not a mapping.

    Notes
    -----
    ========  =================================================================================
    trunk     spatial filters (C to ``n_filters``), temporal kernels (depthwise, "same"), batch
    \         normalization, root mean square over ``pooling`` samples
    \         separable convolution (depthwise without padding, then mixing to ``n_maps``), batch
    \         normalization, ELU, mean over ``map_pooling``
    task      dense to ``n_hidden``, ELU; dense to the classes
    ========  =================================================================================

    Temporal and spatial filters commute. With the spatial ones first, the kernels pass over
    ``n_filters`` signals instead of all channels. The two are one filter in space and time for
    each source, and nothing mixes the sources' signals before their amplitudes are known. The
    amplitude changes in proportion with the filter, so that the gradient of a filter tells what
    its source does (with a logarithm it would not: a factor only shifts it). The heads start with
    a tenth of the usual weights: first predictions are nearly uniform, and first gradients tell of
    the classes' differences instead of the heads' chance preferences. Both matter to methods that
    prune before training.

    The article [1]_ names a network of feature layers and a head for each task, without their
    sizes; these are ours.

    References
    ----------
    .. [1] %(sparse_multitask_paper)s

    Examples
    --------
    >>> import torch
    >>> net = DualTaskNet(n_channels=22, n_times=640, tasks={"imagery": 2, "execution": 3})
    >>> imagery, execution = net(torch.zeros(5, 22, 640))
    >>> imagery.shape, execution.shape
    (torch.Size([5, 2]), torch.Size([5, 3]))
    >>> net(torch.zeros(5, 22, 640), "execution").shape
    torch.Size([5, 3])
    >>> net.shared_names()[:2], net.private_names("imagery")[:2]
    (['spatial.weight', 'temporal.weight'], ['private.imagery.weight', 'private.imagery.bias'])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        tasks: Mapping[str, int],
        *,
        n_filters: int = 16,
        kernel_size: int = 65,
        pooling: int = 32,
        n_maps: int = 16,
        separable_size: int = 5,
        map_pooling: int = 4,
        n_hidden: int | Mapping[str, int] = 16,
        dropout: float = 0.25,
        max_norm: bool = True,
    ) -> None:
        super().__init__()
        self.n_channels = check_count(n_channels, "n_channels", self)
        self.n_times = check_count(n_times, "n_times", self)
        self.tasks = self._check_tasks(tasks)
        self.head_names = tuple(self.tasks)
        self.n_filters = check_count(n_filters, "n_filters", self)
        self.kernel_size = check_count(kernel_size, "kernel_size", self)
        self.pooling = check_count(pooling, "pooling", self)
        self.n_maps = check_count(n_maps, "n_maps", self)
        self.separable_size = check_count(separable_size, "separable_size", self)
        self.map_pooling = check_count(map_pooling, "map_pooling", self)
        self.n_hidden = self._check_hidden(n_hidden)
        check_number(dropout, "dropout", self, low=0, high=1, closed="left")
        check_flag(max_norm, "max_norm", self)
        self.n_map_times = self._check_fit()
        self.n_features = n_maps * self.n_map_times

        self.spatial = nn.Conv1d(n_channels, n_filters, 1, bias=False)
        self.temporal = SameDepthwiseConv1d(n_filters, kernel_size)
        self.signal_norm = nn.BatchNorm1d(n_filters)
        self.depthwise = nn.Conv1d(
            n_filters, n_filters, separable_size, groups=n_filters, bias=False
        )
        self.pointwise = nn.Conv1d(n_filters, n_maps, 1, bias=False)
        self.map_norm = nn.BatchNorm1d(n_maps)
        self.dropout = nn.Dropout(dropout)
        self.private = nn.ModuleDict(
            {task: nn.Linear(self.n_features, self.n_hidden[task]) for task in self.tasks}
        )
        heads = {task: nn.Linear(self.n_hidden[task], n) for task, n in self.tasks.items()}
        self.heads = nn.ModuleDict(heads)
        for head in heads.values():
            self._start_small(head)
        self.max_norms = {"spatial.weight": 2.0} if max_norm else {}
        if max_norm:
            self.max_norms |= {f"heads.{task}.weight": 0.5 for task in self.tasks}
        self.apply_max_norm()

    @property
    def shared_parameter(self) -> Tensor:
        """Weight of the last layer that all tasks share."""
        return self.pointwise.weight

    def shared_names(self) -> list[str]:
        """Return the names of the parameters that all tasks share.

        Returns
        -------
        list of str
            As in ``named_parameters``.
        """
        return [
            name for name, _ in self.named_parameters()
            if not name.startswith(("private.", "heads."))
        ]

    def private_names(self, task: str) -> list[str]:
        """Return the names of the parameters that only one task has.

        Parameters
        ----------
        task : str

        Returns
        -------
        list of str
            As in ``named_parameters``.
        """
        self._check_task(task)
        own = (f"private.{task}.", f"heads.{task}.")
        return [name for name, _ in self.named_parameters() if name.startswith(own)]

    def forward(self, X: Tensor, task: str | None = None) -> Tensor | tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_channels, n_times)
        task : str, optional
            By default all tasks.

        Returns
        -------
        Tensor, shape (n_rows, n_classes), or tuple of them
            Of the task, or of each in the order of ``head_names``.
        """
        if task is not None:
            self._check_task(task)
        features = self.extract(X)
        if task is not None:
            return self.decide(features, task)
        return tuple(self.decide(features, name) for name in self.tasks)

    def extract(self, X: Tensor) -> Tensor:
        """Compute the trunk's features for each task.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_channels, n_times)

        Returns
        -------
        Tensor, shape (n_rows, n_features)
            Map by map, and in time within each.
        """
        row = (self.n_channels, self.n_times)
        if tuple(X.shape[1:]) != row:
            raise ValueError(
                f"DualTaskNet was built for rows of shape {row} (channels, times), got rows of "
                f"shape {tuple(X.shape[1:])}."
            )
        x = self.signal_norm(self.temporal(self.spatial(X)))
        x = self.dropout(self.to_amplitude(nn.functional.avg_pool1d(x.square(), self.pooling)))
        x = self.to_map(self.map_norm(self.pointwise(self.depthwise(x))))
        return self.dropout(nn.functional.avg_pool1d(x, self.map_pooling)).flatten(1)

    def decide(self, features: Tensor, task: str) -> Tensor:
        """Compute a task's logits.

        Parameters
        ----------
        features : Tensor, shape (n_rows, n_features)
        task : str

        Returns
        -------
        Tensor, shape (n_rows, n_classes)
        """
        hidden = nn.functional.elu(self.private[task](features))
        return self.heads[task](self.dropout(hidden))

    @staticmethod
    def to_amplitude(square: Tensor) -> Tensor:
        """Root of averaged squares."""
        return (square + _LEAST_SQUARE).sqrt()

    @staticmethod
    def to_map(x: Tensor) -> Tensor:
        """What follows the second normalization, value by value."""
        return nn.functional.elu(x)

    def without_dead_units(self) -> DualTaskNet:
        """Build a smaller network that predicts the same.

        Filters, maps and hidden units all of whose incoming or all of whose outgoing weights are
        exactly zero are left out; what those without incoming weights give, a constant, goes into
        the layer after them.

        Returns
        -------
        DualTaskNet
            In evaluation mode, with at least one unit in each layer. Predictions are the same, but
            for rounding; training would go on differently.
        """
        return drop_dead_units(self)

    @staticmethod
    def _start_small(head: nn.Linear) -> None:
        with torch.no_grad():
            head.weight.mul_(_HEAD_SCALE)
            head.bias.zero_()

    def _check_task(self, task: str) -> None:
        if task not in self.tasks:
            raise ValueError(
                f"DualTaskNet has no task {task!r}; its tasks are {list(self.tasks)}."
            )

    def _check_tasks(self, tasks: Mapping[str, int]) -> dict[str, int]:
        if not isinstance(tasks, Mapping):
            raise TypeError(
                f"DualTaskNet: tasks={tasks!r} must map each task's name to its number of "
                "classes, such as {'imagery': 2, 'execution': 2}."
            )
        if not tasks:
            raise ValueError("DualTaskNet: tasks is empty; name at least one task.")
        for name in tasks:
            # Names become parts of parameters' names.
            taken = isinstance(name, str) and hasattr(nn.ModuleDict(), name)
            if not isinstance(name, str) or not name or "." in name or taken:
                raise ValueError(
                    f"DualTaskNet: {name!r} cannot name a task; use a string without dots that "
                    "is not an attribute of torch.nn.ModuleDict."
                )
        return {name: check_count(n, f"tasks[{name!r}]", self) for name, n in tasks.items()}

    def _check_hidden(self, n_hidden: int | Mapping[str, int]) -> dict[str, int]:
        if not isinstance(n_hidden, Mapping):
            return dict.fromkeys(self.tasks, check_count(n_hidden, "n_hidden", self))
        if set(n_hidden) != set(self.tasks):
            raise ValueError(
                f"DualTaskNet: n_hidden has the tasks {list(n_hidden)}, but tasks has "
                f"{list(self.tasks)}."
            )
        return {
            task: check_count(n_hidden[task], f"n_hidden[{task!r}]", self) for task in self.tasks
        }

    def _check_fit(self) -> int:
        """Return the number of values of a map."""
        n_pooled = self.n_times // self.pooling
        n_left = n_pooled - self.separable_size + 1
        n_map_times = n_left // self.map_pooling if n_left > 0 else 0
        if n_map_times < 1:
            needed = self.pooling * (self.separable_size + self.map_pooling - 1)
            raise ValueError(
                f"DualTaskNet: n_times={self.n_times} samples are too few: pooling={self.pooling} "
                f"leaves {n_pooled}, separable_size={self.separable_size} and "
                f"map_pooling={self.map_pooling} need "
                f"{self.separable_size + self.map_pooling - 1}. Give {needed} samples or more, or "
                "smaller settings."
            )
        return n_map_times
