"""Channels of an ``.npz`` recording that are decoded from, as everywhere in the toolkit."""

from __future__ import annotations

from skbci._recording.channels import DATA_TYPES, named_otherwise
from skbci._warning import warn
from skbci.datasets._npz.archive import Archive, as_texts
from skbci.datasets._selection import Selection, pick_channels

__all__ = ["bad_channels", "chosen_channels"]


def bad_channels(archive: Archive) -> list[str]:
    """Names in ``bads``, an array or an entry of ``meta``."""
    return _texts(archive, "bads")


def chosen_channels(
    archive: Archive, n_channels: int, selection: Selection
) -> tuple[slice | list[int], list[str] | None]:
    """Return index and names of the channels to take.

    Those that were picked; else those that are neither in ``bads`` nor of another type than data
    channels have in MNE, by ``ch_types`` or, where the file has none, by their names.

    Raises
    ------
    ValueError
        If ``bads`` or ``ch_types`` do not fit the channels, or none is left.

    Warns
    -----
    UserWarning
        If channels are left out for their names.
    """
    names, path = archive.ch_names(n_channels), archive.path
    if selection.picks is not None or names is None:
        return pick_channels(names, selection, path)
    bads, kinds = bad_channels(archive), _texts(archive, "ch_types")
    if unknown := [name for name in bads if name not in names]:
        raise ValueError(f"{path}: bads has {unknown}, which are none of its channels {names}.")
    if kinds and len(kinds) != n_channels:
        raise ValueError(f"{path}: ch_types has {len(kinds)} entries for {n_channels} channels.")
    if kinds:
        others = [name for name, kind in zip(names, kinds) if kind.lower() not in DATA_TYPES]
    else:
        others = named_otherwise(names)
        if len(others) == n_channels:
            others = []
    kept = [name for name in names if name not in bads and name not in others]
    if not kept:
        raise ValueError(
            f"{path} has no good data channel: its channels are {names}, of types {kinds}, and "
            f"its bad channels {bads}. picks=... takes others."
        )
    others = [name for name in others if name not in selection.exclude]
    if others and not kinds:
        warn(
            f"{path}: the channels {others} are not EEG by their names and were left out; "
            "picks=... takes them too.",
        )
    return pick_channels(names, selection, path, default=kept)


def _texts(archive: Archive, key: str) -> list[str]:
    """A list of texts from an array or from ``meta``; empty where there is none."""
    values = as_texts(archive[key]).tolist() if key in archive else archive.meta.get(key)
    if values is None:
        return []
    texts = [values] if isinstance(values, str) else values
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{archive.path}: {key}={values!r} must be a list of texts.")
    return texts
