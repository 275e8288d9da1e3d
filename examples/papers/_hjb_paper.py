"""Tables IV and V of the HJB paper, as printed.

T. K. Reddy, V. Arora, L. Behera (2018). HJB-Equation-Based Optimal Learning Scheme for Neural
Networks With Applications in Brain-Computer Interface. doi:10.1109/TETCI.2018.2858761
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["NAMES", "TABLE_IV", "TABLE_V", "paper_errors", "paper_times"]

# The paper's names of the optimizers and those of skbci.
NAMES = {
    "RMSprop": "rmsprop", "BP": "sgd", "EVDHJB": "evdhjb", "AD": "adagrad", "Adam": "adam",
    "HJB": "hjb", "HJB+AD": "hjb-ad", "LF": "lf", "LM": "lm",
}

_ = np.nan
#: Eye state; accuracies in percent, wall time in seconds.
TABLE_IV = pd.DataFrame(
    [
        ("K*", _, _, _, 78.8, 0.78, 0.79),
        ("RJ48F", 200, 562.3, _, 82.7, 0.82, 0.81),
        ("BP", 270, 38.2, 98.9, 91.2, 0.91, 0.92),
        ("LF", 250, 50.5, 98.8, 62.0, 0.61, 0.60),
        ("AD", 200, 22.5, 98.0, 96.0, 0.96, 0.92),
        ("EVDHJB", 220, 37.4, 98.6, 95.2, 0.94, 0.96),
        ("HJB", 200, 34.1, 99.1, 96.2, 0.95, 0.94),
        ("HJB+AD", 180, 20.2, 99.2, 97.0, 0.98, 0.95),
        ("Adam", 187, 25.5, 98.2, 96.3, 0.96, 0.97),
        ("RMSprop", 192, 26.5, 98.4, 96.8, 0.97, 0.95),
        ("Ens1", _, _, 99.3, 98.9, 0.98, 0.96),
        ("Ens2", _, _, 98.6, 97.8, 0.96, 0.95),
        ("Ens3", _, _, 99.0, 98.2, 0.97, 0.96),
        ("Ens4", _, _, 98.7, 96.1, 0.93, 0.94),
    ],
    columns=["algorithm", "epochs", "seconds", "train", "test", "precision", "recall"],
).set_index("algorithm")

_COLUMNS = ("RMSprop", "BP", "EVDHJB", "AD", "Adam", "HJB", "HJB+AD")
#: Tabular sets: (convergence time in s, test error) of each optimizer.
TABLE_V = pd.DataFrame.from_dict(
    {
        "BC": ((4.47, 3.00), (47.56, 4.28), (30.65, 4.27), (29.56, 3.18), (8.54, 3.00),
               (3.51, 3.14), (20.83, 2.85)),
        "8-BP": ((0.26, 0.25), (0.27, 0.25), (0.87, 0.25), (0.55, 0.25), (0.35, 0.25),
                 (0.36, 0.25), (0.26, 0.25)),
        "Mod-2": ((3.34, 0.20), (12.42, 0.20), (1.53, 0.20), (2.68, 0.20), (2.63, 0.20),
                  (1.64, 0.20), (7.69, 0.20)),
        "Gabor-2D": ((0.19, 0.02), (0.47, 0.02), (0.15, 0.02), (0.54, 0.02), (0.14, 0.02),
                     (0.19, 0.02), (0.14, 0.02)),
        "ADU": ((891.1, 15.89), (976.2, 14.98), (921, 16.29), (871, 16.05), (881.2, 15.93),
                (398.7, 15.42), (866.9, 15.83)),
        "BM": ((351.12, 11.61), (357.88, 11.54), (411.34, 11.61), (341.68, 11.61),
               (347.44, 11.61), (319.93, 10.77), (322.54, 11.61)),
        "MMG": ((21.6, 16.04), (22.96, 15.42), (29.4, 19.06), (22.26, 16.67), (25.42, 15.72),
                (23.11, 16.14), (24.55, 16.87)),
        "IJCNN": ((3479, 9.50), (890, 9.79), (6713, 9.57), (5406.8, 9.57), (3307, 9.50),
                  (739.7, 0.83), (7497, 1.23)),
        "WS": ((7196, 3.35), (2848, 1.65), (16082, 2.85), (7437, 3.22), (7451, 1.80),
               (3704, 2.74), (7711, 3.18)),
        "HTRU2": ((1110.93, 1.99), (1268.3, 9.67), (1247.6, 1.96), (1085.6, 9.15),
                  (1053.2, 1.12), (1051, 2.08), (1062.6, 2.94)),
        "Covtype": ((12228, 20.40), (21183, 15.21), (62125, 15.75), (12497, 25.15),
                    (20728, 14.37), (20310, 15.65), (12200, 13.97)),
    },
    orient="index", columns=list(_COLUMNS),
)


def paper_times() -> pd.DataFrame:
    """Convergence times of Table V in seconds."""
    return TABLE_V.map(lambda cell: float(cell[0]))


def paper_errors() -> pd.DataFrame:
    """Test errors of Table V, in percent for the real sets."""
    return TABLE_V.map(lambda cell: float(cell[1]))
