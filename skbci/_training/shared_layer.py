"""Where the heads of a network part: what one layer gives, and which parameters lie above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn
from torch.autograd.graph import Node

from skbci.weighting import WeightingPolicy


def shared_parameter(module: nn.Module, policy: WeightingPolicy) -> Tensor:
    """Return the parameter at which a policy compares gradients.

    Raises
    ------
    ValueError
        If the module does not name one.
    """
    parameter = getattr(module, "shared_parameter", None)
    if not isinstance(parameter, Tensor):
        raise ValueError(
            f"{type(policy).__name__} compares gradients at the weight of the last layer that all "
            f"heads share, but module {type(module).__name__} has no attribute shared_parameter "
            "to say which it is."
        )
    return parameter


@contextmanager
def output_of(module: nn.Module, parameter: Tensor) -> Iterator[list[Tensor]]:
    """Collect what the layer that owns a parameter gives while the context is open."""
    outputs: list[Tensor] = []

    def keep(layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        outputs.append(output)

    # Not the whole network, which may keep the parameter under a name of its own.
    owners = [
        m for m in module.modules()
        if m is not module and any(p is parameter for p in m._parameters.values())
    ]
    handles = [owner.register_forward_hook(keep) for owner in owners]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def parameters_above(losses: Sequence[Tensor], shared: Sequence[Tensor]) -> list[Tensor] | None:
    """Return the parameters that losses reach without going through the shared layer's output.

    Parameters
    ----------
    losses : sequence of Tensor
        With their graph.
    shared : sequence
        What the shared layer gave: one tensor, if the module called it once.

    Returns
    -------
    list of Tensor, or None
        None where no output of the shared layer parts the network in two: it is not known, or a
        loss reaches a parameter beneath it in another way, too (a skip connection, tied weights).
    """
    if len(shared) != 1 or not isinstance(shared[0], Tensor) or shared[0].grad_fn is None:
        return None
    node = shared[0].grad_fn
    above = _leaves([loss.grad_fn for loss in losses], stop=node)
    beneath = _leaves([node])
    if above.keys() & beneath.keys():
        return None
    return list(above.values())


def _leaves(nodes: Iterable[Node | None], stop: Node | None = None) -> dict[int, Tensor]:
    """Walk a graph down from some nodes to its parameters."""
    seen = {stop}
    todo = [node for node in nodes if node is not None]
    found: dict[int, Tensor] = {}
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found[id(leaf)] = leaf
        todo += [following for following, _ in node.next_functions if following is not None]
    return found
