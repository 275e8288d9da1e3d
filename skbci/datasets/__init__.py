"""Data sets: simulated EEG, readers of local files, and fetchers.

The simulators (`make_motor_imagery`, `make_imagery_execution`, `make_ssvep`, `make_erp`,
`make_eye_state`) project dipole sources through a spherical head model and need nothing but a
seed; `make_parity`, `make_modulo2` and `make_gabor_2d` are small functions to learn;
`load_recording` and `save_recording` read and write ``.npz``, `read_epochs` reads XDF and whatever
MNE does,
`load_bids` whole data sets in BIDS, `load_bci3_mental_imagery` the competition's own files;
`fetch_moabb` and `fetch_tabular` download.
All of them return the same Bunch: ``X`` (an `EEGArray`; EEG in volts), ``y``, ``metadata``,
``sfreq``, ``ch_names``, ``DESCR`` and what else is known.
"""

from skbci.datasets._bci3 import load_bci3_mental_imagery
from skbci.datasets._load_bids import load_bids
from skbci.datasets._mne.bids import bids_path_of as bids_path_of  # for the rooms below
from skbci.datasets._mne.epochs import read_epochs
from skbci.datasets._mne.files import open_recording as open_recording  # for the rooms below
from skbci.datasets._moabb import fetch_moabb
from skbci.datasets._npz.recording import load_recording
from skbci.datasets._npz.save import save_recording
from skbci.datasets._simulators.erp import make_erp
from skbci.datasets._simulators.eye_state import make_eye_state
from skbci.datasets._simulators.imagery_execution import make_imagery_execution
from skbci.datasets._simulators.motor_imagery import make_motor_imagery
from skbci.datasets._simulators.ssvep import make_ssvep
from skbci.datasets._simulators.synthetic_functions import make_gabor_2d, make_modulo2, make_parity
from skbci.datasets._tabular import fetch_tabular

__all__ = [
    "fetch_moabb",
    "fetch_tabular",
    "load_bci3_mental_imagery",
    "load_bids",
    "load_recording",
    "make_erp",
    "make_eye_state",
    "make_gabor_2d",
    "make_imagery_execution",
    "make_modulo2",
    "make_motor_imagery",
    "make_parity",
    "make_ssvep",
    "read_epochs",
    "save_recording",
]
