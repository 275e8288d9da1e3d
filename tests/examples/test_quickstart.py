"""The quickstart runs end to end, and its tables say what they should."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "quickstart.py"


@pytest.fixture(scope="module")
def main():
    return runpy.run_path(str(SCRIPT))["main"]


def test_simulated_eeg(main, tmp_path, capsys):
    main(["--subjects", "3", "--trials", "10", "--n-jobs", "1", "--output", str(tmp_path)])
    out = capsys.readouterr().out
    for name in ("CSP + LDA", "MDM", "tangent space + LR", "tangent space + network, searched",
                 "views in a network (HJB), mirrored"):
        assert f"| {name} " in out
    assert "Leakage: No test row shares signal with a training row." in out
    assert "\nConfounds: " in out
    picture = tmp_path / "quickstart_imagery.png"
    assert str(picture) in out
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.real_data
@pytest.mark.slow
def test_real_sessions_show_the_leak(main, data_folder, tmp_path, capsys):
    main(["--data", str(data_folder / "bci3_V_idiap"), "--n-jobs", "2", "--output", str(tmp_path)])
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("log PSD + 3-NN ")]
    honest, leaked = map(float, line.split()[-2:])
    assert leaked > 0.95 > 0.75 > honest


@pytest.mark.real_data
@pytest.mark.slow
def test_real_epochs(main, data_folder, tmp_path, capsys):
    main(["--data", str(data_folder / "eegmmidb"), "--subjects", "3", "--output", str(tmp_path)])
    assert "135 epochs of 3 subjects" in capsys.readouterr().out
