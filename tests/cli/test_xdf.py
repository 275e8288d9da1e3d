"""Streams of an XDF file are chosen by options, and the messages name these."""

from __future__ import annotations

import numpy as np
import pytest

from skbci.cli import main
from tests.xdf_files import CHANNELS, RATE, header, marker_samples, signal_samples, write

SECOND = header(3, "second", "EEG", "float32", 1, RATE) + signal_samples(
    3, 1000 + np.arange(10) / RATE, np.zeros((10, 1)))
KEYBOARD = header(4, "keyboard", "Markers", "string", 1, 0) + marker_samples(
    4, [1003.0, 1006.0], ["space", "escape"])


@pytest.fixture
def xdf():
    return pytest.importorskip("pyxdf", reason="pyxdf is not installed")


def test_the_options_are_for_no_other_files(recordings, model, tmp_path, capsys):
    file = str(recordings / "sub-01_raw.fif")
    for option in (["--stream", "eego"], ["--marker-stream", "cues"], ["--unit", "uV"]):
        command = ["fit", file, "--pipeline", "csp-lda", "--output", str(tmp_path / "m.joblib")]
        assert main([*command, *option]) != 0
        assert f"{' '.join(option)} is for XDF files only" in capsys.readouterr().err
        for more in ([], ["--hop", "1"]):
            assert main(["decode", str(model), file, *more, *option]) != 0
            assert f"{' '.join(option)} is for XDF files only" in capsys.readouterr().err
    assert main(["decode", str(model), "lsl:eego", "--stream", "eego"]) == 2
    assert "--stream and --marker-stream are for XDF files" in capsys.readouterr().err


@pytest.mark.extras
def test_streams_are_chosen_by_options(tmp_path, capsys, xdf):
    path = str(write(tmp_path / "S01.xdf", more=SECOND + KEYBOARD))
    assert main(["info", path]) == 1
    assert "choose one with --stream" in capsys.readouterr().err
    assert main(["info", path, "--stream", "amplifier"]) == 1
    assert "choose one with --marker-stream" in capsys.readouterr().err
    command = ["info", path, "--stream", "amplifier", "--tmax", "1", "--marker-stream"]
    assert main([*command, "keyboard"]) == 0
    assert "escape x 1, space x 1" in capsys.readouterr().out
    assert main([*command, "cues"]) == 0
    assert "left x 2, right x 2" in capsys.readouterr().out


@pytest.mark.extras
def test_a_unit_is_stated(tmp_path, capsys, xdf):
    bare = [{"label": channel["label"]} for channel in CHANNELS]
    path = str(write(tmp_path / "S01.xdf", channels=bare))
    assert main(["info", path, "--tmax", "1"]) == 0
    assert "State it: --unit uV" in capsys.readouterr().out
    assert main(["info", path, "--tmax", "1", "--unit", "uV"]) == 0
    assert "--unit" not in capsys.readouterr().out
