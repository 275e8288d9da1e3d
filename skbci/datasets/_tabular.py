"""Tables from OpenML, and one from the LIBSVM collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch

from skbci._checks import check_flag, check_float_dtype, refusal
from skbci._typing import PathLike
from skbci.datasets._bunch import make_bunch
from skbci.datasets._libsvm import LIBSVM, fetch_libsvm

__all__ = ["TABLES", "fetch_tabular"]

# The tables of the HJB paper's section V, by OpenML's number. "mammography" on OpenML is another
# set (microcalcifications, 11,183 rows), hence the full name here.
TABLES: Mapping[str, int] = {
    "breast-cancer-wisconsin": 15,
    "mammographic-mass": 45557,
    "htru2": 45558,
    "bank-marketing": 1461,
    "bank-marketing-small": 1558,
    "adult": 1590,
    "ijcnn1": 1575,
    "covertype": 1596,
    "covertype-binary": 293,
}


def fetch_tabular(
    name_or_id: str | int,
    *,
    version: int | str = "active",
    data_home: PathLike | None = None,
    cache: bool = True,
    dtype: DTypeLike = "float64",
) -> Bunch:
    """Download a table from OpenML; Webspam from the LIBSVM collection.

    What was downloaded is kept, so that only the first call needs a network.

    Parameters
    ----------
    name_or_id : str or int
        A name of the table below, OpenML's number of a data set, or its name there.
    version : int or "active", default="active"
        With a name on OpenML: which version. Names below and numbers have one.
    data_home : path-like, optional
        Folder for downloads; by default scikit-learn's.
    cache : bool, default=True
        Whether to keep downloads.
    dtype : dtype, default="float64"
        Floating-point format of X.

    Returns
    -------
    Bunch
        ``X`` : EEGArray, shape (n_rows, n_features)
            Numbers; categories as codes (0, 1, ... in the order of ``categories``), NaN where a
            value is missing.
        ``y`` : ndarray, shape (n_rows,)
            Labels, as on OpenML.
        ``feature_names``, ``is_categorical`` : ndarray, shape (n_features,)
            Names, and whether a column holds codes.
        ``categories`` : dict of str to list
            Meaning of the codes, by column.
        ``target_names`` : ndarray
            The distinct labels.
        ``metadata``, ``sfreq``, ``ch_names``, ``DESCR``
            As in every Bunch; empty, None, None and OpenML's text.

    Raises
    ------
    ConnectionError
        If OpenML (or the LIBSVM collection) cannot be reached and the table was not downloaded
        before.
    ValueError
        If OpenML has no such table, or the downloaded file of LIBSVM is damaged.

    Notes
    -----
    =========================  ======  ==================================================
    name                       number  table
    =========================  ======  ==================================================
    breast-cancer-wisconsin    15      Breast Cancer Wisconsin (original), 699 x 9
    mammographic-mass          45557   Mammographic Mass, 961 x 5
    htru2                      45558   HTRU2 pulsar candidates, 17,898 x 8
    bank-marketing             1461    Bank Marketing, 45,211 x 16
    bank-marketing-small       1558    its 10 % sample, 4,521 x 16
    adult                      1590    Adult (census income), 48,842 x 14
    ijcnn1                     1575    IJCNN 2001 challenge, 191,681 x 22, with duplicates
    covertype                  1596    Forest cover type, 581,012 x 54, 7 classes
    covertype-binary           293     the same, one class against the others, as in LIBSVM
    webspam                            Webspam, unigrams, 350,000 x 254, of LIBSVM
    =========================  ======  ==================================================

    Webspam takes 711 MB in ``float64``; its file, compressed, is kept in the folder ``libsvm`` of
    ``data_home``.

    Examples
    --------
    >>> from skbci.datasets import fetch_tabular
    >>> data = fetch_tabular("htru2")  # doctest: +SKIP
    """
    dtype = check_float_dtype(dtype, "dtype", "fetch_tabular")
    check_flag(cache, "cache", "fetch_tabular")
    if isinstance(name_or_id, str) and name_or_id.lower() in LIBSVM:
        return _from_libsvm(name_or_id.lower(), data_home, cache, dtype)
    query = _query(name_or_id, version)
    asked = ", ".join(f"{key}={value!r}" for key, value in query.items())
    try:
        stored = fetch_openml(**query, data_home=data_home, cache=cache, as_frame="auto",
                              parser="auto")
    except HTTPError as error:
        raise _refused(error, name_or_id, asked) from error
    except OSError as error:
        raise ConnectionError(
            f"The table {name_or_id!r} was requested from OpenML ({asked}), which could not be "
            f"reached: {error}. The first download needs a network. Without one, use "
            "load_recording('table.npz') for a local copy with X, y and feature_names, or "
            "sklearn.datasets.load_breast_cancer and its like, which come with scikit-learn."
        ) from error
    data, names, is_categorical, categories = _numbers(stored, dtype)
    y = np.asarray(stored.target)
    y = np.array([str(label) for label in y]) if y.dtype.kind == "O" else y
    return make_bunch(
        data, y, feature_names=names, is_categorical=is_categorical, categories=categories,
        target_names=np.unique(y), description=str(stored.get("DESCR", "")),
    )


def _from_libsvm(name: str, data_home: PathLike | None, cache: bool, dtype: np.dtype) -> Bunch:
    X, y = fetch_libsvm(name, data_home, cache, dtype)
    names = np.array([f"feature_{number}" for number in range(1, X.shape[1] + 1)])
    return make_bunch(
        X, y, feature_names=names, is_categorical=np.zeros(len(names), bool), categories={},
        target_names=np.unique(y), description=f"{name} of the LIBSVM data collection",
    )


def _query(name_or_id: str | int, version: int | str) -> dict[str, Any]:
    if isinstance(name_or_id, bool) or not isinstance(name_or_id, (str, int, np.integer)):
        because = "must be a name or a number"
        raise TypeError(refusal(name_or_id, "name_or_id", "fetch_tabular", because))
    if not isinstance(name_or_id, str):
        return {"data_id": int(name_or_id)}
    if name_or_id.lower() in TABLES:
        return {"data_id": TABLES[name_or_id.lower()]}
    return {"name": name_or_id, "version": version}


def _refused(error: HTTPError, name_or_id: str | int, asked: str) -> Exception:
    """Return the error that tells whether OpenML has no such table (404, 412) or failed."""
    if error.code in (404, 412):
        return ValueError(
            f"OpenML has no table {name_or_id!r} ({asked}). Names known here are "
            f"{', '.join([*TABLES, *LIBSVM])}; others must be OpenML's own."
        )
    return ConnectionError(
        f"The table {name_or_id!r} was requested from OpenML ({asked}), which answered "
        f"{error.code} {error.reason}. Try again later, or use load_recording for a local copy."
    )


def _numbers(
    stored: Bunch, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, list[Any]]]:
    """Table of numbers, its column names, which columns are codes, and what they mean."""
    names = np.array([str(name) for name in stored.feature_names])
    if not isinstance(stored.data, pd.DataFrame):
        data = stored.data.toarray() if hasattr(stored.data, "toarray") else stored.data
        return np.asarray(data, dtype=dtype), names, np.zeros(len(names), bool), {}
    columns, flags, categories = [], [], {}
    for name in stored.data:
        column = stored.data[name]
        if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind not in "biuf":
            column = column.astype("category")
            codes = column.cat.codes.to_numpy().astype(dtype)
            codes[codes < 0] = np.nan
            columns.append(codes)
            categories[str(name)] = [str(value) for value in column.cat.categories]
        else:
            columns.append(column.to_numpy(dtype=dtype, na_value=np.nan))
        flags.append(str(name) in categories)
    return np.column_stack(columns), names, np.array(flags), categories
