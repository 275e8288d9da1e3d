"""What a comparison of recordings came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skbci.eegarray import EEGArray
from skbci.evaluation import Comparison, ConfoundReport, LeakageReport

__all__ = ["Findings"]


@dataclass
class Findings:
    """What a comparison of recordings came to; the report shows it."""

    X: EEGArray
    y: np.ndarray
    files: list[Path]
    pipelines: dict[str, Any]
    split: str
    folds: list[tuple[np.ndarray, np.ndarray]]
    comparison: Comparison
    confusions: dict[str, np.ndarray]
    leakage: LeakageReport
    confounds: ConfoundReport | str
    command: str
    warnings: list[str] = field(default_factory=list)
