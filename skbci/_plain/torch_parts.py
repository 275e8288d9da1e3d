"""Tensors as arrays; modules and optimizers as what they hold."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from skbci._plain.frozen import Freezer, Frozen, Kind, Note, NotPlain, Thawer

if TYPE_CHECKING:
    import torch

__all__ = ["TORCH"]


def _of(name: str) -> Any:
    """A type of torch, or none: what is no object of it needs no import."""
    torch = sys.modules.get("torch")
    for part in name.split("."):
        torch = getattr(torch, part, None)
    return () if torch is None else torch


def _is_tensor(value: object) -> bool:
    return isinstance(value, _of("Tensor"))


def _freeze_tensor(value: torch.Tensor, walk: Freezer, frozen: Frozen) -> object:
    import torch

    kind = type(value)
    kinds: dict[Any, str] = {torch.Tensor: "tensor", torch.nn.Parameter: "parameter"}
    if kind not in kinds or value.layout is not torch.strided or value.is_quantized:
        if not walk.deep:
            return value
        raise NotPlain(f"{walk.where()} is a tensor of a kind that has no plain form: {kind}.")
    data = value.detach().cpu().contiguous()
    if data.dtype is torch.bfloat16:
        data = data.view(torch.int16)
    return frozen.fill(
        of=kinds[kind], array=data.numpy().copy(), dtype=str(value.dtype).split(".")[1],
        device=str(value.device), gradient=bool(value.requires_grad),
    )


def _thaw_tensor(frozen: Frozen, walk: Thawer, note: Note) -> object:
    import torch

    array = np.asarray(frozen.array)
    data = torch.from_numpy(array.copy())
    if frozen.dtype == "bfloat16":
        data = data.view(torch.bfloat16)
    if str(data.dtype) != f"torch.{frozen.dtype}":
        raise ValueError(f"A tensor says {frozen.dtype!r} and holds {data.dtype}.")
    data = data.to(place(frozen.device, walk.device))
    if frozen.of == "parameter":
        return torch.nn.Parameter(data, requires_grad=frozen.gradient)
    return data.requires_grad_(frozen.gradient)


def place(device: str, wanted: str | None) -> str:
    """Where tensors of a device go: where they are wanted, else there, else to the CPU."""
    import torch

    if wanted is not None:
        return wanted
    kind = torch.device(device).type
    has: dict[str, Any] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if kind == "cpu" or (kind in has and has[kind]()):
        if kind != "cuda" or (torch.device(device).index or 0) < torch.cuda.device_count():
            return device
        return "cuda"
    return "cpu"


def _is_word(value: object) -> bool:
    return isinstance(value, (_of("dtype"), _of("device"), _of("Size"))) if _of("dtype") else False


def _freeze_word(value: Any, walk: Freezer, frozen: Frozen) -> Frozen:
    import torch

    if isinstance(value, torch.Size):
        return frozen.fill(of="size", value=list(value))
    if isinstance(value, torch.device):
        return frozen.fill(of="device", value=str(value))
    return frozen.fill(of="dtype", value=str(value).split(".")[1])


def _thaw_word(frozen: Frozen, walk: Thawer, note: Note) -> object:
    import torch

    if frozen.of == "size":
        return torch.Size(frozen.value)
    if frozen.of == "device":
        return torch.device(place(frozen.value, walk.device))
    dtype = getattr(torch, frozen.value, None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"{frozen.value!r} is not a dtype of torch.")
    return dtype


def _is_generator(value: object) -> bool:
    return isinstance(value, _of("Generator"))


def _freeze_generator(value: torch.Generator, walk: Freezer, frozen: Frozen) -> Frozen:
    return frozen.fill(device=str(value.device), state=value.get_state().numpy().copy())


def _thaw_generator(frozen: Frozen, walk: Thawer, note: Note) -> object:
    import torch

    out = torch.Generator(place(frozen.device, walk.device))
    if str(out.device.type) == torch.device(frozen.device).type:  # others count differently
        out.set_state(torch.from_numpy(np.array(frozen.state)))
    return out


def _is_module(value: object) -> bool:
    return isinstance(value, _of("nn.Module"))


def _freeze_module(value: Any, walk: Freezer, frozen: Frozen) -> object:
    from torch.nn.utils import parametrize

    kind, names = type(value), []
    if parametrize.is_parametrized(value):
        # torch makes a class for each such module, which is neither found nor pickled.
        names = list(value.parametrizations)
        kind = kind.__bases__[0]
    get = getattr(kind, "__getstate__", object.__getstate__)
    state = dict(vars(value)) if names or get is object.__getstate__ else value.__getstate__()
    if isinstance(state, dict):
        usual = _usual()
        state = {name: _hooks(part) if name in usual else part for name, part in state.items()}
        state = {name: part for name, part in state.items() if name not in usual or part}
    elif not walk.deep:
        return value
    return frozen.fill(type=kind, parametrized=names, state=walk(state))


def _hooks(part: Any) -> Any:
    """Hooks without those that torch makes inside its functions, to read old checkpoints."""
    if not isinstance(part, dict):
        return part
    own = {key: getattr(hook, "hook", hook) for key, hook in part.items()}
    return type(part)((key, hook) for key, hook in part.items() if not (
        "<locals>" in getattr(own[key], "__qualname__", "")
        and own[key].__module__.startswith("torch.")
    ))


@cache
def _usual() -> frozenset[str]:
    """Dicts of hooks that every module has, most often empty."""
    import torch

    own = vars(torch.nn.Module())
    return frozenset(
        name for name, part in own.items() if isinstance(part, (dict, set))
        and name not in ("_parameters", "_modules", "_buffers")
    )


def _thaw_module(frozen: Frozen, walk: Thawer, note: Note) -> object:
    import torch
    from torch.nn.utils import parametrize

    kind = frozen.type
    if not (isinstance(kind, type) and issubclass(kind, torch.nn.Module)):
        raise ValueError(f"{kind!r} is not a class of torch modules.")
    out = note(kind.__new__(kind))
    torch.nn.Module.__init__(out)
    _set_state(out, walk(frozen.state))
    if frozen.parametrized:
        parametrize._inject_new_class(out)
        for name in frozen.parametrized:
            parametrize._inject_property(out, name)
    return out


def _is_optimizer(value: object) -> bool:
    return isinstance(value, (_of("optim.Optimizer"), _of("optim.lr_scheduler.LRScheduler")))


def _freeze_optimizer(value: torch.optim.Optimizer, walk: Freezer, frozen: Frozen) -> Frozen:
    """Its numbers and settings, without what schedules wrap around its methods."""
    state = value.__getstate__() if hasattr(value, "param_groups") else vars(value)
    return frozen.fill(type=type(value), state=walk(dict(state)))


def _thaw_optimizer(frozen: Frozen, walk: Thawer, note: Note) -> object:
    import torch

    kind = frozen.type
    if not (isinstance(kind, type) and issubclass(
        kind, (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)
    )):
        raise ValueError(f"{kind!r} is not a class of torch optimizers.")
    out = note(kind.__new__(kind))
    _set_state(out, walk(frozen.state))
    return out


def _set_state(out: Any, state: Any) -> None:
    if hasattr(out, "__setstate__"):
        out.__setstate__(state)
    else:
        out.__dict__.update(state)


TORCH: dict[str, Kind] = {
    "tensor": (_is_tensor, _freeze_tensor, _thaw_tensor),
    "word": (_is_word, _freeze_word, _thaw_word),
    "generator": (_is_generator, _freeze_generator, _thaw_generator),
    "module": (_is_module, _freeze_module, _thaw_module),
    "optimizer": (_is_optimizer, _freeze_optimizer, _thaw_optimizer),
}
