"""What the README says can be done."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import mne
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


@pytest.fixture(scope="module")
def text() -> str:
    return README.read_text(encoding="utf-8")


def test_its_code_runs_on_files_of_ones_own(text, tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    names = ["C3", "Cz", "C4"]
    (tmp_path / "recordings").mkdir()
    for subject in (1, 2, 3):
        signal = rng.normal(0, 1e-5, (3, 10 * 400))
        raw = mne.io.RawArray(signal, mne.create_info(names, 100, "eeg"), verbose="error")
        names_of_events = ["left", "right", "left", "right", "rest"]  # rest is not read
        cues = mne.Annotations(4.0 * np.arange(10), 0.0, np.tile(names_of_events, 2))
        raw.set_annotations(cues)
        raw.save(tmp_path / "recordings" / f"sub-{subject}_raw.fif", verbose="error")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    out = capsys.readouterr().out
    for name in ("CSP + LDA", "slow potentials", "tangent space"):
        assert f"| {name} " in out
    assert "3 subjects" in out


def test_its_command_line_is_understood(text):
    from skbci.cli._parser import make_parser
    from skbci.cli._pipelines import make_pipelines
    from skbci.cli._splits import make_split

    (command,) = re.findall(r"^skbci (compare .*)$", text, re.MULTILINE)
    args = make_parser().parse_args(command.split())
    assert len(make_pipelines(args.pipelines, args.align)) == 3
    make_split(args.split, args.folds, 3)


def test_its_commands_are_there(text):
    assert "pip install -c constraints.txt -e . && python examples/quickstart.py" in text
    assert 'pip install -c constraints.txt -e ".[test]" && pytest' in text
    assert (ROOT / "examples" / "quickstart.py").is_file()


def test_its_links_and_its_picture_are_there(text):
    targets = re.findall(r"\]\(([^)#]+)", text)
    assert len(targets) > 5
    for target in targets:
        assert target.startswith("http") or (ROOT / target).exists(), target


@pytest.mark.extras
def test_the_guides_saved_decoder_is_read_again(tmp_path, monkeypatch):
    pytest.importorskip("skops")
    pytest.importorskip("safetensors")
    page = (ROOT / "docs" / "guide" / "your_own_file.rst").read_text(encoding="utf-8")
    (code,) = re.findall(r"   from skbci.persistence import.*?(?=\n\S)", page, re.DOTALL)
    from skbci.baselines import csp_lda
    from skbci.datasets import make_motor_imagery

    eeg = make_motor_imagery(n_subjects=1, n_sessions=1, n_trials=12, random_state=0)
    names = {"decoder": csp_lda(2).fit(eeg.X, eeg.y)}
    before = names["decoder"]
    monkeypatch.chdir(tmp_path)
    exec(compile(textwrap.dedent(code), "your_own_file.rst", "exec"), names)
    assert names["decoder"] is not before
    np.testing.assert_array_equal(names["decoder"].predict(eeg.X), before.predict(eeg.X))


def test_it_is_short(text):
    lines = text.splitlines()
    assert len(lines) < 130
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert [len(table.splitlines()) - 2 <= most for table, most in zip(tables, (12, 6))] == [
        True, True]


def test_its_speeds_are_those_of_the_benchmarks(text):
    measured = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    known = {float(figure) for figure in re.findall(r"([\d.]+) times as fast", measured)}
    rounded = {f"{figure:{how}}" for figure in known for how in (".0f", ".1f")}
    (table,) = re.findall(r"\| times as fast \|\n.*\n((?:\|.*\n)+)", text)
    told = [figure for line in table.splitlines()
            for figure in line.strip("| ").split("|")[-1].strip().split(" / ")]
    assert len(told) > 6
    # The decision's ratio is in a table that the benchmark prints, not in its summary.
    assert set(told) - rounded <= {"5.9"}


def test_the_papers_recordings_are_made_of_physionets(tmp_path, monkeypatch):
    """As its files are: channels called "Fc3.", rest between the cues, 160 Hz."""
    from mne.datasets import eegbci

    from skbci.datasets import load_recording

    page = (ROOT / "docs" / "papers" / "index.rst").read_text(encoding="utf-8")
    (code,) = re.findall(r"   from pathlib import Path.*", page, re.DOTALL)
    code = textwrap.dedent(code).replace("range(1, 61)", "range(1, 3)")
    (wanted,) = re.findall(r'"(Fz .*?)"\n +"(.*?)"', code)
    names = [name.capitalize().ljust(4, ".") for name in "".join(wanted).split()]
    noise = np.random.default_rng(0).normal(0, 1e-5, (24, 160 * 26))
    raw = mne.io.RawArray(noise, mne.create_info(["Iz..", *names, "Oz.."], 160, "eeg"),
                          verbose="error")
    raw.set_annotations(mne.Annotations(
        [0, 4.2, 8.3, 12.5, 16.6, 20.8], [4.1] * 6, ["T0", "T2", "T0", "T1", "T0", "T2"]))
    raw.save(tmp_path / "run_raw.fif", verbose="error")
    monkeypatch.setattr(eegbci, "load_data", lambda subject, runs: [tmp_path / "run_raw.fif"] * 3)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "papers/index.rst", "exec"), {})
    data = load_recording(tmp_path / "data" / "eegmmidb", pattern="mi_*.npz")
    assert data.X.shape == (18, 22, 640)
    assert data.ch_names == "".join(wanted).split()
    assert data.y.tolist() == ["right_hand", "left_hand", "right_hand"] * 6
    table = data.metadata
    assert table[["subject", "run"]].drop_duplicates().to_numpy().tolist() == [
        [subject, run] for subject in (1, 2) for run in (4, 8, 12)]
    np.testing.assert_allclose(data.X[0], noise[1:23, 672:1312], rtol=1e-6, atol=1e-12)
