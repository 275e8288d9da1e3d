"""Tables from the LIBSVM data collection."""

from __future__ import annotations

import lzma
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
from sklearn.datasets import get_data_home, load_svmlight_file

from skbci._process.files import replacing
from skbci._typing import PathLike

__all__ = ["LIBSVM", "fetch_libsvm"]

_ADDRESS = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary/"
_TIMEOUT = 60.0  # seconds without an answer

#: Names, with the file in the collection and the number of features.
LIBSVM: Mapping[str, tuple[str, int]] = {
    "webspam": ("webspam_wc_normalized_unigram.svm.xz", 254),
}


def fetch_libsvm(
    name: str, data_home: PathLike | None, cache: bool, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Return features (n_rows, n_features) and labels of a table; download it once.

    Raises
    ------
    ConnectionError
        If the collection cannot be reached, or the download is cut off, and the file was not
        downloaded before.
    ValueError
        If the file is damaged.
    """
    file, n_features = LIBSVM[name]
    folder = Path(get_data_home(data_home)) / "libsvm"
    if (folder / file).exists():
        return _read(folder / file, n_features, dtype)
    if cache:
        folder.mkdir(parents=True, exist_ok=True)
        _download(name, file, folder / file)
        return _read(folder / file, n_features, dtype)
    with tempfile.TemporaryDirectory() as place:
        _download(name, file, Path(place) / file)
        return _read(Path(place) / file, n_features, dtype)


def _read(path: Path, n_features: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    try:
        with lzma.open(path) as file:
            X, y = load_svmlight_file(
                file, n_features=n_features, dtype=dtype, zero_based=False
            )
        if not len(y) or (y % 1 != 0).any():
            raise ValueError("labels that are no whole numbers" if len(y) else "no rows")
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged ({error}). Delete it, and the next call downloads it anew."
        ) from error
    return X.toarray(), y.astype(int)


def _download(name: str, file: str, path: Path) -> None:
    try:  # a download can be cut off
        with urlopen(_ADDRESS + file, timeout=_TIMEOUT) as answer, replacing(path) as out:
            shutil.copyfileobj(answer, out)
            if answer.length:  # of what was announced; copyfileobj does not look
                raise OSError(f"it ended {answer.length} bytes too early")
    except OSError as error:
        what = f"answered {error.code}" if isinstance(error, HTTPError) else "could not be reached"
        raise ConnectionError(
            f"The table {name!r} was requested from the LIBSVM collection ({_ADDRESS}{file}), "
            f"which {what}: {error}. The first download needs a network. Without one, put the "
            f"file into {path.parent}, or use load_recording('table.npz') for a local copy."
        ) from error
