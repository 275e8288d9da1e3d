"""Arrays and tables of other packages, which numpy reads in another order or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["check_foreign"]

# Names that others give to the axes of signals, in the order that they have here.
_AXES = (
    {"epoch", "epochs", "trial", "trials", "row", "rows", "event", "events", "window", "windows",
     "segment", "segments"},
    {"channel", "channels", "ch", "chan", "sensor", "sensors", "electrode", "electrodes",
     "ch_name", "ch_names"},
    {"time", "times"},
)


def check_foreign(data: Any, name: str) -> Any:
    """Return the data, unless numpy cannot read it, or would read its axes in a wrong order.

    Parameters
    ----------
    data : object
        Tensors, arrays with named axes and lists of tables are looked at.
    name : str
        Of the argument.

    Raises
    ------
    TypeError
        If it is an object of MNE's, or a tensor that numpy does not read, as one that requires
        gradients.
    ValueError
        If axes are named and are not rows, channels and times in this order, or rows are tables,
        whose columns may be channels or times.
    """
    first = data[0] if isinstance(data, (list, tuple)) and len(data) else data
    if isinstance(first, pd.DataFrame) and first is not data:
        raise ValueError(
            f"{name} is a list of tables, whose rows may be times or channels. Give an array of "
            f"rows x channels x times: np.stack([table.to_numpy().T for table in {name}]) where "
            "columns are channels."
        )
    if (kind := type(first)).__module__.startswith("mne."):
        article = "a list of" if first is not data else "of type"
        raise TypeError(
            f"{name} is {article} mne's {kind.__name__}, where an array of rows is needed: of "
            f"mne.Epochs, EEGArray.from_epochs; of others, {name}.get_data()."
        )
    if hasattr(first, "detach") and hasattr(first, "__array__"):
        try:
            np.asarray(first)
        except (RuntimeError, TypeError) as error:
            raise TypeError(
                f"{name} is a tensor that numpy cannot read ({str(error).split('. ')[0]}); give "
                f"{name}.detach().float().cpu().numpy()."
            ) from None
    _check_named_axes(data, name)
    return data


def _check_named_axes(data: Any, name: str) -> None:
    dims = getattr(data, "dims", None)
    if not isinstance(dims, tuple) or len(dims) != getattr(data, "ndim", None):
        return
    found = [next((at for at, known in enumerate(_AXES) if str(dim).lower() in known), None)
             for dim in dims]
    places = [place for place in found if place is not None]
    if places != sorted(places) or (found[:1] and found[0] not in (0, None)):
        raise ValueError(
            f"{name} has the axes {', '.join(map(str, dims))}, where rows (epochs), channels and "
            f"times are needed in this order: {name}.transpose(...) first."
        )
