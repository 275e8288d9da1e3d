"""Augmentations by name."""

from __future__ import annotations

import inspect
from typing import Any

from sklearn.base import clone

from skbci._checks import check_arguments, refusal, shown, who_asks
from skbci._settings import check_settings
from skbci.augmentation._base import Augmentation
from skbci.augmentation._channel_dropout import ChannelDropout
from skbci.augmentation._gaussian_noise import GaussianNoise
from skbci.augmentation._mirror import Mirror
from skbci.augmentation._mixup import Mixup
from skbci.augmentation._recombine import Recombine
from skbci.augmentation._time_shift import TimeShift
from skbci.augmentation._union import AugmentationUnion

#: Names that estimators take for ``augmentation``, and their classes.
AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "mirror": Mirror,
    "recombine": Recombine,
    "mixup": Mixup,
    "noise": GaussianNoise,
    "channel-dropout": ChannelDropout,
    "time-shift": TimeShift,
}


def resolve_augmentation(
    augmentation: Any, settings: dict[str, Any] | None = None, *,
    who: object = "resolve_augmentation",
) -> Augmentation | None:
    """Resolve a name, a class, an instance, or a list of them to a new augmentation.

    Parameters
    ----------
    augmentation : str, subclass of Augmentation, Augmentation, list of them, or None
        A key of `AUGMENTATIONS`, a class, or an instance, which is copied. Of a list, each makes
        its own new rows from the rows given. None is none.
    settings : dict, optional
        Arguments for it (the ``augmentation__...`` parameters). With a list, each name begins with
        the member's own: ``noise__scale``; instances and classes are called as in `AUGMENTATIONS`.
    who : object
        Whose parameter it is, for the message.

    Returns
    -------
    Augmentation or None

    Raises
    ------
    ValueError
        If a name or a setting is unknown, the message listing the valid ones; if a list is empty;
        or if there are settings and no augmentation.
    TypeError
        If it is none of these.

    Examples
    --------
    >>> resolve_augmentation("noise", {"scale": 0.2})
    GaussianNoise(scale=0.2)
    >>> resolve_augmentation(["mirror", "noise"], {"noise__scale": 0.2})
    AugmentationUnion(augmentations=[Mirror(), GaussianNoise(scale=0.2)])
    """
    settings = check_arguments(settings, "settings", who)
    if augmentation is None:
        if settings:
            because = f"takes no augmentation__{next(iter(settings))}"
            raise ValueError(refusal(augmentation, "augmentation", who, because))
        return None
    if not isinstance(augmentation, (list, tuple)):
        return _one(augmentation, settings, "", who)
    if not augmentation:
        raise ValueError(refusal(augmentation, "augmentation", who, "must not be empty"))
    names = [_name(part) for part in augmentation]
    lost = [key for key in settings if key.partition("__")[0] not in names]
    if lost:
        because = f"has no member for augmentation__{lost[0]}; its members are {names}"
        raise ValueError(refusal(augmentation, "augmentation", who, because))
    parts = []
    for part, name in zip(augmentation, names):
        start = f"{name}__"
        own = {key[len(start) :]: v for key, v in settings.items() if key.startswith(start)}
        parts.append(_one(part, own, start, who))
    return AugmentationUnion(parts)


def _one(part: Any, settings: dict[str, Any], start: str, who: object) -> Augmentation:
    kind: type[Augmentation]
    if isinstance(part, str):
        if part not in AUGMENTATIONS:
            because = f"is unknown; use one of {sorted(AUGMENTATIONS)} or an Augmentation"
            raise ValueError(refusal(part, "augmentation", who, because))
        kind = AUGMENTATIONS[part]
    elif isinstance(part, Augmentation):
        kind = type(part)
    elif isinstance(part, type) and issubclass(part, Augmentation):
        kind = part
    else:
        because = (
            "must be a name, an Augmentation class or an instance of one, a list of them, or None "
            "(transforms of braindecode go into a BraindecodeTransform)"
        )
        raise TypeError(refusal(part, "augmentation", who, because))
    names = list(inspect.signature(kind).parameters)
    whose = f"{who_asks(who)}: augmentation={shown(part)}"
    check_settings(settings, names, whose, f"augmentation__{start}")
    if isinstance(part, Augmentation):
        return clone(part).set_params(**settings)
    return kind(**settings)


def _name(part: object) -> object:
    """Return what a member of a list is called."""
    kind = part if isinstance(part, type) else type(part)
    return next((name for name, known in AUGMENTATIONS.items() if kind is known), part)
