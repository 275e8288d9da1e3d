"""From sources inside the head to potentials on the scalp."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import mne
import numpy as np

from skbci._process.quiet import quiet_mne
from skbci._recording.montage import standard_montage

__all__ = ["Head", "eye_topography", "standard_names"]

_CORTEX_RADIUS = 0.80  # of the outermost sphere: just under the skull, whose inside is at 0.90
_N_POINTS = 1200
_PATCH_SD = 0.10  # rad on the cortex, about 8 mm: the extent of one source of a rhythm
_EYES = np.array([[-0.032, 0.074, -0.028], [0.032, 0.074, -0.028]])  # m, head coordinates


@lru_cache(maxsize=1)
def _montage() -> tuple[mne.Info, mne.bem.ConductorModel, dict[str, int]]:
    """Electrodes of the 10-05 system, a sphere with three shells fitted to them, an index."""
    montage = standard_montage()
    with quiet_mne():
        info = mne.create_info(montage.ch_names, 1.0, "eeg").set_montage(montage)
        sphere = mne.make_sphere_model("auto", "auto", info)
    return info, sphere, {name.lower(): i for i, name in enumerate(montage.ch_names)}


def standard_names(names: Sequence[str]) -> list[str]:
    """Spell channel names as the 10-05 system does.

    Raises
    ------
    ValueError
        If a name is not in the system or is given twice.
    """
    if isinstance(names, str):
        raise TypeError(f"ch_names={names!r} must be a sequence of channel names.")
    info, _, index = _montage()
    unknown = [str(name) for name in names if str(name).lower() not in index]
    if unknown:
        raise ValueError(
            f"ch_names has names that are not electrodes of the 10-05 system: {unknown}. "
            "Names look like 'C3', 'FCz', 'POz'."
        )
    spelled = [info["ch_names"][index[str(name).lower()]] for name in names]
    if not spelled:
        raise ValueError("ch_names is empty; give at least one electrode.")
    if len(set(spelled)) != len(spelled):
        raise ValueError(f"ch_names names an electrode twice: {spelled}.")
    return spelled


def _electrodes(names: Sequence[str]) -> np.ndarray:
    """Electrode positions in m, from the centre of the sphere."""
    info, sphere, index = _montage()
    rows = [info["chs"][index[name.lower()]]["loc"][:3] for name in names]
    return np.array(rows) - sphere["r0"]


@lru_cache(maxsize=1)
def _cortex() -> np.ndarray:
    """Evenly spread directions over the upper three quarters of the sphere."""
    i = np.arange(_N_POINTS) + 0.5
    z = 1 - 2 * i / _N_POINTS
    golden = np.pi * (1 + np.sqrt(5)) * i
    ring = np.sqrt(1 - z**2)
    directions = np.column_stack([ring * np.cos(golden), ring * np.sin(golden), z])
    return directions[z > -0.5]


@lru_cache(maxsize=16)
def _leadfield(names: tuple[str, ...]) -> np.ndarray:
    """Potentials of unit dipoles, shape (n_channels, n_points, 3), in V/(A m)."""
    info, sphere, index = _montage()
    points = _cortex()
    positions = sphere["r0"] + _CORTEX_RADIUS * sphere.radius * points
    with quiet_mne():
        source_space = mne.setup_volume_source_space(
            pos={"rr": positions, "nn": points}, sphere=sphere, sphere_units="m"
        )
        picked = mne.pick_info(info, [index[name.lower()] for name in names])
        forward = mne.make_forward_solution(
            picked, trans=None, src=source_space, bem=sphere, meg=False, eeg=True
        )
    gain = forward["sol"]["data"].reshape(len(names), -1, 3)
    gain.flags.writeable = False
    return gain


class Head:
    """A three-shell spherical head under electrodes of the 10-05 system.

    Parameters
    ----------
    ch_names : sequence of str
        Electrode names, spelled as by `standard_names`.
    """

    def __init__(self, ch_names: Sequence[str]) -> None:
        self.ch_names = list(ch_names)
        self._gain = _leadfield(tuple(ch_names))

    @staticmethod
    def under(name: str) -> np.ndarray:
        """Unit vector from the centre of the head to an electrode."""
        position = _electrodes([name])[0]
        return position / np.linalg.norm(position)

    def project(self, direction: np.ndarray, tilt: np.ndarray) -> np.ndarray:
        """Topography of a patch of cortex, shape (n_channels,), in V/(A m).

        Parameters
        ----------
        direction : ndarray, shape (3,)
            From the centre of the head to the patch.
        tilt : ndarray, shape (3,)
            Added to the radial direction to give the dipoles' orientation: zero for a gyral
            crown, long and tangential for the wall of a sulcus.
        """
        direction = direction / np.linalg.norm(direction)
        orientation = direction + tilt
        orientation /= np.linalg.norm(orientation)
        angle = np.arccos(np.clip(_cortex() @ direction, -1, 1))
        weight = np.exp(-0.5 * (angle / _PATCH_SD) ** 2)
        return self._gain @ orientation @ (weight / weight.sum())

    def scatter(self, n_sources: int, rng: np.random.Generator) -> np.ndarray:
        """Topographies of point sources anywhere, in any orientation.

        Returns
        -------
        ndarray, shape (n_channels, n_sources)
            In V/(A m).
        """
        chosen = rng.integers(self._gain.shape[1], size=n_sources)
        orientation = rng.standard_normal((n_sources, 3))
        orientation /= np.linalg.norm(orientation, axis=1, keepdims=True)
        return np.einsum("csk,sk->cs", self._gain[:, chosen], orientation)


def eye_topography(ch_names: Sequence[str], moment: Sequence[float]) -> np.ndarray:
    """Potentials of the two corneo-retinal dipoles, largest at Fp1, Fp2, F7 or F8.

    The eyes lie outside the spheres, so this is the potential of a dipole in an infinite
    homogeneous medium, ``p . r / |r|^3``, added over both eyes.

    Parameters
    ----------
    ch_names : sequence of str
        Electrodes.
    moment : sequence of 3 float
        Direction of the change of the dipoles: up for blinks, sideways for a look aside.

    Returns
    -------
    ndarray, shape (n_channels,)
        Scaled so that the largest absolute value over Fp1, Fp2, F7 and F8 is 1.
    """
    _, sphere, _ = _montage()

    def potential(names: Sequence[str]) -> np.ndarray:
        path = _electrodes(names)[:, None, :] + sphere["r0"] - _EYES
        return ((path @ np.asarray(moment, float)) / np.linalg.norm(path, axis=2) ** 3).sum(axis=1)

    return potential(ch_names) / np.abs(potential(["Fp1", "Fp2", "F7", "F8"])).max()
