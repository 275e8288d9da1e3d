"""Transforms of braindecode as augmentations."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from skbci._checks import check_arguments, refusal
from skbci.augmentation._base import GivenRows, NewRows, RandomAugmentation


class BraindecodeTransform(RandomAugmentation):
    """Let a transform of `braindecode.augmentation` make new rows.

    Parameters
    ----------
    transform : braindecode.augmentation.Transform or str
        An instance, of which a copy is used, or a name: ``"FTSurrogate"``, ``"SmoothTimeMask"``,
        ``"FrequencyShift"``, ``"SensorsZRotation"`` ...
    settings : dict, optional
        Arguments of the transform, where it is given by name; its ``probability`` is 1 unless they
        say otherwise.
    n_copies : int, default=1
        How often each row goes through the transform.

    Raises
    ------
    ImportError
        If the transform is given by name, and braindecode is not installed or cannot be imported.
    TypeError
        If it is no transform, or one that changes labels (use `Mixup`, `Recombine`).
    ValueError
        If braindecode has none of that name.

    Notes
    -----
    Labels stay: `braindecode.augmentation.ChannelsSymmetry` exchanges sides without them, which is
    right for sleep and wrong for hands; see `Mirror`.

    The transform's own ``random_state`` is not used: ``augment`` seeds its generator. Rows that
    its ``probability`` leaves as they were are no new rows. braindecode computes in single
    precision; what comes back is in the rows' own. Rows of bands go through it as rows of bands x
    channels, which are other channels to it: give it rows of channels x times where it knows
    their names.

    Examples
    --------
    >>> from braindecode.augmentation import FTSurrogate       # doctest: +SKIP
    >>> surrogate = BraindecodeTransform(FTSurrogate(1.0))     # doctest: +SKIP
    >>> surrogate.augment(X, y, random_state=0)                # doctest: +SKIP
    """

    def __init__(
        self, transform: Any, settings: Mapping[str, Any] | None = None, *, n_copies: int = 1
    ) -> None:
        self.transform = transform
        self.settings = settings
        self.n_copies = n_copies

    def _check_settings(self) -> None:
        super()._check_settings()
        settings = check_arguments(self.settings, "settings", self)
        if isinstance(self.transform, str):
            return
        if isinstance(self.transform, type) or not callable(self.transform):
            because = "must be a transform of braindecode (an instance) or the name of one"
            raise TypeError(refusal(self.transform, "transform", self, because))
        if settings:
            because = "are for a transform that is given by name; this one is an instance"
            raise ValueError(refusal(settings, "settings", self, because))

    def _new_rows(self, rows: GivenRows, rng: np.random.RandomState) -> NewRows:
        import torch

        transform = self._transform()
        for part in _parts(transform):
            part.rng = np.random.RandomState(rng.randint(2**31))
        source = self._sources(rows)
        shape = (len(source), -1, rows.data.shape[-1])
        given = torch.as_tensor(rows.data[source].reshape(shape), dtype=torch.float32)
        before = given.clone()
        codes = torch.as_tensor(np.searchsorted(rows.classes, rows.y[source]))
        with torch.random.fork_rng(devices=()), torch.no_grad():
            torch.default_generator.manual_seed(int(rng.randint(2**31)))  # the CPU's alone
            made = transform(given, codes.clone())
        out, said = made if isinstance(made, tuple) else (made, codes)
        name = type(transform).__name__
        if not isinstance(said, torch.Tensor) or not torch.equal(said.to(codes), codes):
            raise TypeError(
                f"{type(self).__name__}: transform={name} changes labels; skbci's Mixup and "
                "Recombine do that with weights and table."
            )
        if out.shape != before.shape:
            raise TypeError(
                f"{type(self).__name__}: transform={name} gives rows of another shape, "
                f"{tuple(out.shape)} for {tuple(before.shape)}."
            )
        changed = (out != before).flatten(1).any(dim=1).numpy()
        new = out.numpy()[changed].reshape(-1, *rows.data.shape[1:]).astype(rows.data.dtype)
        return NewRows(new, source[changed])

    def _transform(self) -> Any:
        if not isinstance(self.transform, str):
            return copy.deepcopy(self.transform)
        try:
            from braindecode import augmentation
        except Exception as error:  # it asks for much, and any of it may break
            raise ImportError(
                f"{type(self).__name__}: transform={self.transform!r} needs braindecode, which "
                f'cannot be imported ({error}). pip install "skbci[braindecode]"'
            ) from error
        kinds = {name: getattr(augmentation, name) for name in augmentation.__all__}
        known = {
            name: kind for name, kind in kinds.items()
            if isinstance(kind, type) and issubclass(kind, augmentation.Transform)
        }
        if self.transform not in known:
            because = f"is not one of braindecode's: {', '.join(known)}"
            raise ValueError(refusal(self.transform, "transform", self, because))
        kind = known[self.transform]
        settings = check_arguments(self.settings, "settings", self)
        names = list(inspect.signature(kind).parameters)
        unknown = [name for name in settings if name not in names]
        if unknown:
            because = f"has {unknown[0]!r}, but {self.transform} takes {', '.join(names)}"
            raise ValueError(refusal(settings, "settings", self, because))
        always = {"probability": 1.0} if "probability" in names else {}
        return kind(**{**always, **settings})


def _parts(transform: Any) -> Iterator[Any]:
    """The transform, and those that it is composed of."""
    yield transform
    for part in getattr(transform, "transforms", ()):
        yield from _parts(part)
