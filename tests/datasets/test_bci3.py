"""load_bci3_mental_imagery on small files in exactly the published form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from skbci.datasets import load_bci3_mental_imagery

ROWS = {1: 24, 2: 16, 3: 32, 4: 40}


def psd(session):
    rng = np.random.default_rng(session)
    labels = np.repeat(rng.choice([2, 3, 7], ROWS[session] // 8), 8)
    return rng.random((ROWS[session], 96)).round(6), labels


def write_text(folder, subject=1, sessions=(1, 2, 3, 4)):
    folder.mkdir(parents=True, exist_ok=True)
    for session in sessions:
        X, y = psd(session)
        if session == 4:
            table, name = X, f"test_subject{subject}_psd04.asc"
        else:
            table, name = np.column_stack([X, y]), f"train_subject{subject}_psd{session:02d}.asc"
        np.savetxt(folder / name, table, fmt="%.7e")


def write_labels8(folder, subject=1):
    np.savetxt(folder / f"labels8_subject{subject}_psd.asc", psd(4)[1][::8], fmt="%d")


def test_text_files(tmp_path):
    write_text(tmp_path / "data_psd")
    write_labels8(tmp_path)
    data = load_bci3_mental_imagery(tmp_path, 1)
    assert data.X.shape == (112, 96)
    for session, rows in ROWS.items():
        mine = (data.metadata["session"] == session).to_numpy()
        np.testing.assert_allclose(np.asarray(data.X)[mine], psd(session)[0], rtol=1e-6)
        assert (data.y[mine] == psd(session)[1]).all()
        np.testing.assert_allclose(data.metadata["onset"][mine], np.arange(rows) / 16)
    assert list(data.metadata) == ["subject", "session", "run", "onset", "task"]
    assert data.feature_names[[0, 11, 12, 95]].tolist() == ["C3_8Hz", "C3_30Hz", "Cz_8Hz",
                                                            "P4_30Hz"]
    assert data.y_test8.tolist() == psd(4)[1][::8].tolist()
    assert (data.feature_rate, data.window, data.sfreq) == (16, 1.0, None)
    assert data.label_names == {2: "left hand", 3: "right hand", 7: "words"}


def test_matlab_files_equal_text_files(tmp_path):
    write_text(tmp_path / "text", sessions=(1, 2, 3))
    (tmp_path / "matlab").mkdir()
    for session in (1, 2, 3):
        X, y = psd(session)
        savemat(tmp_path / "matlab" / f"train_subject1_psd{session:02d}.mat",
                {"X": X, "Y": y[:, None].astype(float), "note": "text"})
    text = load_bci3_mental_imagery(tmp_path / "text", 1)
    matlab = load_bci3_mental_imagery(tmp_path / "matlab", 1)
    np.testing.assert_allclose(text.X, matlab.X, rtol=1e-6)
    assert (text.y == matlab.y).all()
    assert text.metadata.equals(matlab.metadata)


def test_test_session_only_with_labels(tmp_path):
    write_text(tmp_path)
    assert set(load_bci3_mental_imagery(tmp_path, 1).metadata["session"]) == {1, 2, 3}
    with pytest.raises(FileNotFoundError, match=r"labels8_subject1_psd\.asc under"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=[3, 4])
    # A label a row is the finer truth.
    rows = psd(4)[1].copy()
    rows[3] = 7
    np.savetxt(tmp_path / "labels_subject1_psd.asc", rows, fmt="%d")
    write_labels8(tmp_path)
    assert load_bci3_mental_imagery(tmp_path, 1, sessions=4).y.tolist() == rows.tolist()


def test_test_labels_in_the_file(tmp_path):
    X, y = psd(4)
    savemat(tmp_path / "test_subject2_psd04.mat", {"X": X, "Y": y})
    data = load_bci3_mental_imagery(tmp_path, 2, sessions=4)
    assert (data.y == y).all()
    assert data.y_test8.tolist() == y[::8].tolist()


def test_raw_windows(tmp_path):
    rng = np.random.default_rng(0)
    signal = rng.normal(0, 20, (2048, 32)).round(3)
    labels = np.repeat([2, 7], [1200, 848])
    table = np.column_stack([signal, labels])
    np.savetxt(tmp_path / "train_subject3_raw01.asc", table, fmt="%.6e")
    data = load_bci3_mental_imagery(tmp_path, 3, sessions=1, which="raw")
    assert data.X.shape == (7, 32, 512)
    assert data.sfreq == 512
    assert data.ch_names[:3] == ["Fp1", "AF3", "F7"]
    assert data.metadata["onset"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    np.testing.assert_allclose(data.X[3], signal[768:1280].T * 1e-6, rtol=1e-4)
    # Windows 3 (768 to 1280) and 4 (1024 to 1536) hold the change at 1200.
    assert data.y.tolist() == [2, 2, 2, 2, 7, 7, 7]
    longer = load_bci3_mental_imagery(tmp_path, 3, sessions=1, which="raw", window=2, hop=2)
    assert longer.X.shape == (2, 32, 1024)


def test_raw_test_session_takes_the_window_labels(tmp_path):
    signal = np.random.default_rng(0).normal(0, 20, (2048, 32))
    np.savetxt(tmp_path / "test_subject3_raw04.asc", signal, fmt="%.6e")
    np.savetxt(tmp_path / "labels8_subject3_raw.asc", [2, 2, 3, 3, 3, 7, 7], fmt="%d")
    data = load_bci3_mental_imagery(tmp_path, 3, sessions=4, which="raw")
    assert data.y.tolist() == [2, 2, 3, 3, 3, 7, 7]
    with pytest.raises(ValueError, match=r"7 labels.*window=1\.0 and hop=0\.5"):
        load_bci3_mental_imagery(tmp_path, 3, sessions=4, which="raw", hop=0.25)


def test_missing_files_say_what_was_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere; unpack"):
        load_bci3_mental_imagery(tmp_path / "nowhere", 1)
    write_text(tmp_path, sessions=(1, 3))
    with pytest.raises(FileNotFoundError,
                       match=r"Looked for train_subject1_psd02\.asc and .*psd02\.mat"):
        load_bci3_mental_imagery(tmp_path, 1)
    assert len(load_bci3_mental_imagery(tmp_path, 1, sessions=(1, 3)).X) == ROWS[1] + ROWS[3]


def test_files_in_another_form(tmp_path):
    file = tmp_path / "train_subject1_psd01.asc"
    np.savetxt(file, np.zeros((8, 50)))
    with pytest.raises(ValueError, match=r"no table of 96 columns.*\(8, 50\)"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=1)
    np.savetxt(file, np.zeros((8, 96)))
    with pytest.raises(ValueError, match="has no column or variable of labels"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=1)
    np.savetxt(file, np.full((8, 97), 5.0))
    with pytest.raises(ValueError, match=r"has the labels \[5.0\]; known are \[2, 3, 7\]"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=1)
    file.write_text("these are words\nand not numbers\n")
    with pytest.raises(ValueError, match="cannot be read"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=1)
    file.unlink()
    (tmp_path / "train_subject1_psd01.mat").write_bytes(b"broken" * 100)
    with pytest.raises(ValueError, match="cannot be read"):
        load_bci3_mental_imagery(tmp_path, 1, sessions=1)


def test_labels_of_the_wrong_length(tmp_path):
    write_text(tmp_path)
    np.savetxt(tmp_path / "labels8_subject1_psd.asc", [2, 3, 7], fmt="%d")
    with pytest.raises(ValueError, match="3 labels, which is neither one for each of the 40 rows"):
        load_bci3_mental_imagery(tmp_path, 1)


@pytest.mark.parametrize(("arguments", "match"), [
    ({"subject": 4}, "subject=4: data set V has"),
    ({"subject": 0}, "subject=0"),
    ({"subject": 1, "sessions": [5]}, "choose among 1, 2, 3 and 4"),
    ({"subject": 1, "which": "csv"}, "which='csv' must be"),
    ({"subject": 1, "window": 0}, "window=0"),
])
def test_bad_arguments_are_named(tmp_path, arguments, match):
    write_text(tmp_path)
    with pytest.raises(ValueError, match=match):
        load_bci3_mental_imagery(tmp_path, **arguments)
