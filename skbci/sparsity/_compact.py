"""A smaller network that predicts what a masked one does."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from skbci._checks import check_count
from skbci.sparsity._cost import CompactionReport, compare_costs
from skbci.sparsity._docs import fill_doc
from skbci.sparsity._enforce import apply_masks
from skbci.sparsity._sequential import drop_from_chain, is_dense_chain


@fill_doc
def compact(
    module: nn.Module,
    masks: Mapping[str, Tensor] | None = None,
    X: Tensor | None = None,
    *,
    n_repeats: int = 200,
) -> tuple[nn.Module, CompactionReport]:
    r"""Leave out the units that masks have cut off, and measure what that saves.

    Parameters
    ----------
    module : nn.Module
        It stays as it is. A sequence of dense layers with functions of one value between them,
        such as `skbci.nets.MLP`, without hooks and with no ``forward`` that does more than run
        them; or a module with a method ``without_dead_units()`` that knows how to do it, such as
        `skbci.nets.DualTaskNet`. For a fitted estimator there is
        `skbci.estimators.compact_estimator`.
    %(masks)s
    X : Tensor, shape (n_rows, ...), optional
        Rows to measure on; by default one row of zeros for sequences of dense layers. Other
        modules need some.
    n_repeats : int, default=200
        Predictions of one row to take the median time of.

    Returns
    -------
    smaller : nn.Module
        Of the same class, in evaluation mode. Its predictions are the same but for rounding.
    report : CompactionReport
        Parameters, multiplications, bytes and time before and after, and the largest difference
        between the outputs.

    Raises
    ------
    TypeError
        If the module is of neither kind, or there are no masks.
    ValueError
        If a mask does not fit, X is missing, or the smaller network's outputs are not the same.

    Notes
    -----
    A unit goes if all its incoming weights are pruned or all its outgoing ones (to units that
    stay). Without incoming weights it still gives the constant :math:`f(b)`, which is added to
    the biases :math:`b'` of the next layer, :math:`b' \leftarrow b' + W' f(b)`. At least one unit
    stays in each layer, and the inputs stay.

    Masks of single weights leave most units in place, and a dense matrix with zeros in it costs
    what a full one does: at a sparsity of 80 % the weights left are spread over nearly all units,
    and by the floor of one weight a unit none is without input. What is saved is what the report
    says, which is little unless whole units are pruned.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> masks = {"0.weight": torch.ones(3, 4, dtype=torch.bool)}
    >>> masks["0.weight"][1] = False
    >>> smaller, report = compact(net, masks, torch.eye(4))
    >>> smaller[0].weight.shape, report.difference < 1e-6
    (torch.Size([2, 4]), True)
    >>> report.before.parameters, report.after.parameters
    (23, 16)
    """
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"compact takes a torch module and its masks, got {type(module).__name__}; for a "
            "fitted estimator use skbci.estimators.compact_estimator(estimator)."
        )
    if masks is None:
        raise TypeError(
            "compact needs masks, such as a PruningMethod finds: compact(module, masks)."
        )
    n_repeats = check_count(n_repeats, "n_repeats", "compact")
    masked = copy.deepcopy(module).eval()
    apply_masks(masked, masks)
    shrink = getattr(masked, "without_dead_units", None)
    if callable(shrink):
        smaller = shrink().eval()
    elif is_dense_chain(masked):
        smaller = drop_from_chain(masked)
    else:
        raise TypeError(
            f"compact does not know how the units of {type(module).__name__} depend on each "
            "other. It takes nn.Sequential of Flatten, Linear, Dropout and activations such as "
            "skbci.nets.MLP, without hooks and with no forward that does more than run them, and "
            "modules with a method without_dead_units()."
        )
    if X is None:
        X = _row_of_zeros(masked)
    return smaller, compare_costs(masked, smaller, X, n_repeats)


def _row_of_zeros(module: nn.Module) -> Tensor:
    if not is_dense_chain(module):
        raise ValueError(
            f"compact needs X, some rows to measure {type(module).__name__} on; only for "
            "sequences of dense layers is their shape known."
        )
    first = next(layer for layer in module.modules() if isinstance(layer, nn.Linear))
    return torch.zeros_like(first.weight[:1], requires_grad=False)
