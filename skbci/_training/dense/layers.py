"""What a fully connected network is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn
from torch.nn.modules import module as torch_module

from skbci.nets import MLP

_GLOBAL_HOOKS = (
    "_global_forward_hooks", "_global_forward_pre_hooks",
    "_global_backward_hooks", "_global_backward_pre_hooks",
)
_ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.Identity)


@dataclass
class DenseLayers:
    """Linear layers, and the activation and dropout after each but the last."""

    flattens: bool = False
    linear: list[nn.Linear] = field(default_factory=list)
    activations: list[nn.Module] = field(default_factory=list)
    dropout: list[nn.Dropout | None] = field(default_factory=list)


def read_layers(module: nn.Module) -> DenseLayers | None:
    """Take a network apart that is an `MLP`, or built like one in an `nn.Sequential`.

    Returns
    -------
    DenseLayers or None
        None if there is anything in it that is not known to the letter: another layer or order, a
        ``forward`` of its own, a hook, a layer or weight that is used twice.
    """
    if not isinstance(module, nn.Sequential) or not _only_runs_its_layers(module):
        return None
    last: nn.Module = module
    out = DenseLayers()
    for i, layer in enumerate(module):
        after_linear = type(last) is nn.Linear
        if type(layer) is nn.Flatten and i == 0 and (layer.start_dim, layer.end_dim) == (1, -1):
            out.flattens = True
        elif type(layer) is nn.Linear and layer.bias is not None:
            if after_linear:
                out.activations.append(nn.Identity())
                out.dropout.append(None)
            out.linear.append(layer)
        elif type(layer) in _ACTIVATIONS and after_linear:
            out.activations.append(layer)
            out.dropout.append(None)
        elif type(layer) is nn.Dropout and out.dropout and type(last) in _ACTIVATIONS:
            out.dropout[-1] = layer
        else:
            return None
        last = layer
    weights = [id(p) for layer in out.linear for p in (layer.weight, layer.bias)]
    if type(last) is not nn.Linear or len(set(weights)) < len(weights):
        return None
    return out


def _only_runs_its_layers(module: nn.Sequential) -> bool:
    kind = type(module)
    return (
        kind.forward in (nn.Sequential.forward, MLP.forward)
        and kind.__call__ is nn.Module.__call__
        and kind.train is nn.Module.train
        and not module._parameters
        and not hasattr(module, "apply_max_norm")  # may give weights a storage of their own
        and not any(map(_is_watched, module.modules()))
        and not any(map(_has_hooks, module.parameters()))
        and not any(getattr(torch_module, name, None) for name in _GLOBAL_HOOKS)
    )


def _is_watched(module: nn.Module) -> bool:
    return bool(
        "forward" in vars(module)
        or module._forward_hooks or module._forward_pre_hooks
        or module._backward_hooks or module._backward_pre_hooks
    )


def _has_hooks(parameter: nn.Parameter) -> bool:
    hooks = parameter._backward_hooks, getattr(parameter, "_post_accumulate_grad_hooks", None)
    return any(map(bool, hooks))
