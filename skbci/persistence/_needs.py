"""Packages that are not installed with the toolkit."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["import_extra"]


def import_extra(module: str, extra: str) -> Any:
    """Import a module, or say how to install it.

    Raises
    ------
    ImportError
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise ImportError(
            f'{package} is not installed; this needs it: pip install "skbci[{extra}]"'
        ) from error
