"""Containers: what is in them, and dicts whose keys are not all str."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque

from skbci._plain.frozen import Freezer, Frozen, Kind, Note, Thawer

__all__ = ["CONTAINERS"]


def _is_sequence(value: object) -> bool:
    return type(value) in (list, tuple)


def _freeze_sequence(value: list | tuple, walk: Freezer, frozen: Frozen) -> object:
    parts = [walk(part, f"[{place}]") for place, part in enumerate(value)]
    if all(new is old for new, old in zip(parts, value)):
        return value
    return parts if type(value) is list else tuple(parts)


def _is_dict(value: object) -> bool:
    return type(value) is dict and all(type(key) is str for key in value)


def _freeze_dict(value: dict, walk: Freezer, frozen: Frozen) -> object:
    parts = {name: walk(part, f".{name}") for name, part in value.items()}
    if all(new is old for new, old in zip(parts.values(), value.values())):
        return value
    return parts


def _is_mapping(value: object) -> bool:
    return type(value) in (dict, OrderedDict, defaultdict)


def _freeze_mapping(value: dict, walk: Freezer, frozen: Frozen) -> Frozen:
    return frozen.fill(
        type=type(value),
        factory=getattr(value, "default_factory", None),
        keys=[walk(key, "[a key]") for key in value],
        values=[walk(part, f"[{key!r:.40}]") for key, part in value.items()],
    )


def _thaw_mapping(frozen: Frozen, walk: Thawer, note: Note) -> object:
    if frozen.type not in (dict, OrderedDict, defaultdict):
        raise ValueError(f"{frozen.type!r} is not a kind of mapping.")
    if frozen.factory not in (dict, list, set, int, float, None):
        raise ValueError(f"A mapping that makes {frozen.factory!r} of missing keys is not read.")
    given = (frozen.factory,) if frozen.type is defaultdict else ()
    out = note(frozen.type(*given))
    for key, part in zip(frozen.keys, frozen.values):
        out[walk(key)] = walk(part)
    return out


def _is_set(value: object) -> bool:
    return type(value) in (set, frozenset)


def _freeze_set(value: set | frozenset, walk: Freezer, frozen: Frozen) -> object:
    parts = [walk(part, "[an element]") for part in value]
    if type(value) is set and all(new is old for new, old in zip(parts, value)):
        return value
    return frozen.fill(type=type(value), values=parts)


def _thaw_set(frozen: Frozen, walk: Thawer, note: Note) -> object:
    if frozen.type not in (set, frozenset):
        raise ValueError(f"{frozen.type!r} is not a kind of set.")
    return frozen.type([walk(part) for part in frozen.values])


def _is_deque(value: object) -> bool:
    return type(value) is deque


def _freeze_deque(value: deque, walk: Freezer, frozen: Frozen) -> Frozen:
    parts = [walk(part, f"[{place}]") for place, part in enumerate(value)]
    return frozen.fill(values=parts, longest=value.maxlen)


def _thaw_deque(frozen: Frozen, walk: Thawer, note: Note) -> object:
    out = note(deque(maxlen=frozen.longest))
    out.extend([walk(part) for part in frozen.values])
    return out


def _never(frozen: Frozen, walk: Thawer, note: Note) -> object:
    raise ValueError(f"There are no objects of the kind {frozen.kind!r}.")


CONTAINERS: dict[str, Kind] = {
    "sequence": (_is_sequence, _freeze_sequence, _never),
    "dict": (_is_dict, _freeze_dict, _never),
    "mapping": (_is_mapping, _freeze_mapping, _thaw_mapping),
    "set": (_is_set, _freeze_set, _thaw_set),
    "deque": (_is_deque, _freeze_deque, _thaw_deque),
}
