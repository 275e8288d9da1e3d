"""The playback example decodes what it plays, and draws it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "stream_playback.py"


@pytest.fixture(scope="module")
def main():
    return runpy.run_path(str(SCRIPT))["main"]


def test_simulated_recording(main, tmp_path, capsys):
    picture = tmp_path / "playback.png"
    assert main(["--output", str(picture)]) > 0.5
    out = capsys.readouterr().out
    assert "welchpsd: incremental" in out
    assert "3057 decisions" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.real_data
def test_recorded_runs(main, data_folder, tmp_path, capsys):
    path = data_folder / "eegmmidb" / "continuous_S001_64ch_fists.npz"
    main(["--data", str(path), "--output", str(tmp_path / "playback.png")])
    assert "1985 decisions" in capsys.readouterr().out


@pytest.mark.extras
def test_through_the_lab_streaming_layer(main, tmp_path):
    pytest.importorskip("mne_lsl", reason="mne-lsl is not installed")
    directly = main(["--output", str(tmp_path / "a.png")])
    through = main(["--lsl", "--speed", "50", "--output", str(tmp_path / "b.png")])
    assert through == pytest.approx(directly, abs=0.02)
