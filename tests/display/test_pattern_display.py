"""PatternDisplay: one map a pattern, at the electrodes' places."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skbci.display import PatternDisplay

NAMES = ["Fz", "C3", "Cz", "C4", "Pz"]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def patterns(n=2, names=NAMES):
    return pd.DataFrame(np.eye(n, len(names)), index=[f"map {i}" for i in range(n)], columns=names)


def test_a_map_for_each_pattern_on_a_symmetric_scale():
    display = PatternDisplay(patterns=patterns(3).mul([1, 5, 2], axis=0)).plot()
    assert [ax.get_title() for ax in display.axes_] == ["map 0", "map 1", "map 2"]
    assert [image.get_clim() for image in display.images_] == [(-1, 1), (-5, 5), (-2, 2)]
    assert len(PatternDisplay(patterns=patterns(3)).plot(n_maps=1).axes_) == 1
    display.plot(shared_scale=True)
    assert {image.get_clim() for image in display.images_} == {(-5, 5)}


def test_long_titles_are_inside_the_picture():
    table = patterns(6).set_axis([f"right hand - left hand, 0.3-4Hz_{i}-0.125s" for i in range(6)])
    display = PatternDisplay(patterns=table).plot()
    display.figure_.canvas.draw()
    top = display.figure_.bbox.height
    assert all(ax.title.get_window_extent().y1 <= top for ax in display.axes_)


def test_the_right_hemisphere_is_on_the_right():
    table = patterns(1)
    table.loc["map 0"] = [0, 0, 0, 1, 0]  # C4
    display = PatternDisplay(patterns=table).plot()
    image = display.images_[0].get_array()
    half = image.shape[1] // 2
    assert np.nanmean(image[:, half:]) > np.nanmean(image[:, :half])


def test_spellings_of_recordings_are_understood():
    PatternDisplay(patterns=patterns(1, ["FZ", "c3", "CZ..", "C4.", "Pz"])).plot()


def test_a_map_of_zeros():
    PatternDisplay(patterns=patterns(1) * 0).plot()


def test_bad_input():
    with pytest.raises(ValueError, match="EEG000"):
        PatternDisplay(patterns=patterns(1, ["EEG000", "C3", "C4", "Cz", "Pz"])).plot()
    with pytest.raises(ValueError, match="2 maps need as many axes, but 1"):
        PatternDisplay(patterns=patterns(2)).plot(axes=plt.subplots()[1])
    with pytest.raises(ValueError, match="n_maps=0"):
        PatternDisplay(patterns=patterns(2)).plot(n_maps=0)
