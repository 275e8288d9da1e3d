"""Save the README's picture, the first of the gallery's ``plot_confounds.py``."""

import runpy
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    runpy.run_path(str(HERE.parent / "examples" / "plot_confounds.py"))
    target = HERE / "_static" / "comparison.png"
    plt.figure(1).savefig(target, dpi=130)
    print(target)
