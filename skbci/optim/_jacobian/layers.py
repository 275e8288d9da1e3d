"""The layers of a module that rules with a Gram matrix can train."""

from __future__ import annotations

from torch import Tensor, nn

from skbci.optim._jacobian.layer_rows import SUPPORTED


def parameters(layer: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Weight and bias."""
    own = layer._parameters
    weight = own["weight"]
    assert weight is not None
    return weight, own.get("bias")


def layer_key(layer: nn.Module) -> tuple[int, int]:
    """Layers with the same key share their parameters."""
    weight, bias = parameters(layer)
    return id(weight), id(bias)


def gram_layers(module: nn.Module, params: list[Tensor], who: str) -> list[nn.Module]:
    """Find the layers that hold the parameters, and refuse those of unknown kinds.

    Raises
    ------
    ValueError
        If a parameter is held by a layer whose rows of the Jacobian are not known.
    """
    wanted = {id(p) for p in params}
    layers: list[nn.Module] = []
    holders: dict[int, tuple[int, int]] = {}
    for name, layer in module.named_modules():
        own = [p for p in layer._parameters.values() if p is not None and id(p) in wanted]
        if not own:
            continue
        label = f"{name!r} ({type(layer).__name__})" if name else type(layer).__name__
        if not isinstance(layer, SUPPORTED) or layer._parameters.get("weight") is None:
            raise ValueError(
                f"{who} cannot train {label}: the Gram matrix is known for dense, convolutional "
                "and normalization layers. Leave its parameters out of the optimizer (they then "
                "stay fixed), or use 'lf' or 'hjb', which take any module."
            )
        for p in own:
            if holders.setdefault(id(p), layer_key(layer)) != layer_key(layer):
                raise ValueError(
                    f"{who} cannot train {label}: it shares one of its two parameters with "
                    "another layer. Share both or none."
                )
        layers.append(layer)
    return layers


def check_batch_norm(layers: list[tuple[str, nn.Module]], who: str) -> None:
    """Refuse batch normalization by the batch's own statistics.

    Raises
    ------
    ValueError
        If there is such a layer.
    """
    for name, layer in layers:
        if layer.training or layer.running_mean is None:
            raise ValueError(
                f"{who} cannot train through {name!r} ({type(layer).__name__}) in training mode: "
                "batch normalization makes each pattern's output depend on the whole mini-batch, "
                "and the Gram matrix is built pattern by pattern. Put the layer into evaluation "
                "mode, replace it (GroupNorm and LayerNorm work), or use 'lf' or 'hjb'."
            )
