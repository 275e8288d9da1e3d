"""The command line: what it prints, and what it says where it cannot."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import skbci
from skbci.cli import main
from skbci.cli._pipelines import PIPELINES, make_pipelines
from skbci.cli._splits import SPLITS, make_split


def test_it_runs_as_a_module(recordings):
    done = subprocess.run(
        [sys.executable, "-m", "skbci", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"skbci {skbci.__version__}")


USELESS_COMMANDS = [
    (["compare", "{0}", "--pipelines", "svm"], "svm: no such pipeline; they are csp-lda, "),
    (["fit", "{0}", "--pipeline", "mdm,csp-lda", "--output", "{1}/m"], "name a single one"),
    (["compare", "{1}", "--split", "random"], "--split random: no such split"),
    (["compare", "{0}", "--scoring", "acc"], "has no scorer of this name; some are accuracy,"),
    (["compare", "{0}", "--tmin", "2", "--tmax", "1"], "--tmax 1.0 must be after --tmin 2.0 s"),
    (["info", "{0}", "--tmin", "4"], "--tmax 4.0 must be after --tmin 4.0 s"),
    (["compare", "{0}", "--report", "page.pdf"], "its name must end in .html"),
]
WHAT_FILES_DO_NOT_GIVE = [
    (["info", "{0}/nothing.edf"], "nothing.edf: there is no such file"),
    (["info", "{1}"], "no recording in this folder"),
    (["compare", "{0}", "--events", "feet"], "'feet'"),
    (["compare", "{0}", "--events", "left"], "all epochs are of one event, 'left'"),
    (["compare", "{0}", "--report", "{1}/no/page.html"], "there is no folder"),
    (["compare", "{0}/sub-01_raw.fif", "--tmax", "2", "--split", "leave-subjects-out"],
     "needs recordings of two subjects or more"),
    (["compare", "{0}", "--tmax", "2", "--split", "leave-sessions-out"],
     "needs two sessions or more of each subject"),
    (["fit", "{0}", "--pipeline", "csp-lda", "--output", "{1}/no/model"], "no folder"),
    (["decode", "{1}/none", "{0}/sub-01_raw.fif"], "there is no such file"),
]


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [(*case, 2) for case in USELESS_COMMANDS] + [(*case, 1) for case in WHAT_FILES_DO_NOT_GIVE],
)
def test_what_is_wrong_is_one_line_and_a_status(
    command, said, status, recordings, tmp_path, capsys
):
    assert main([part.format(recordings, tmp_path) for part in command]) == status
    out, err = capsys.readouterr()
    (line,) = [line for line in err.splitlines() if not line.startswith("skbci: warning")]
    assert out == ""
    assert line.startswith("skbci: error: ")
    assert said in line


def test_ctrl_c_while_packages_are_loaded_is_one_line_and_status_130():
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *more):\n"
        "        if name == 'numpy':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from skbci.cli import main\n"
        "sys.exit(main(['info', 'a.edf']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "skbci: interrupted\n")


def test_wrong_arguments_have_status_two(capsys):
    assert main(["compare"]) == 2
    assert "FILE" in capsys.readouterr().err


def test_a_file_that_mne_cannot_read_is_an_error(tmp_path, capsys):
    path = tmp_path / "broken.edf"
    path.write_bytes(b"not an EDF file")
    assert main(["info", str(path)]) == 1
    assert f"MNE cannot read {path}" in capsys.readouterr().err


@pytest.mark.parametrize("name", PIPELINES)
def test_every_pipeline_learns_what_is_easy(name):
    rng = np.random.default_rng(0)
    y = np.tile(["left", "right"], 12)
    X = skbci.EEGArray(rng.normal(0, 1e-5, (24, 4, 200)), {"subject": np.repeat([1, 2], 12)},
                       sfreq=100, ch_names=["C3", "Cz", "C4", "Pz"])
    t = np.arange(200) / 100
    for row, label in enumerate(y):  # a rhythm that changes its place, on a slow deflection
        X[row, 0 if label == "left" else 2] += 3e-5 * np.sin(2 * np.pi * 10 * t + row)
        X[row] += (4e-5 if label == "left" else -4e-5) * np.exp(-((t - 0.5) ** 2) / 0.02)
    ((_, pipeline),) = make_pipelines([name]).items()
    assert pipeline.fit(X, y).score(X, y) > 0.9


def test_names_may_be_separated_by_commas():
    assert list(make_pipelines(["mdm,csp-lda", "fbcsp"])) == ["mdm", "csp-lda", "fbcsp"]


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_keeps_apart_what_it_says(name):
    subject, session = np.repeat([1, 2, 3], 16), np.tile(np.repeat([1, 2], 8), 3)
    X = skbci.EEGArray(np.zeros((48, 2, 8)), {"subject": subject, "session": session}, sfreq=8)
    y = np.tile([0, 1], 24)
    for train, test in make_split(name, 2, 3).split(X, y):
        same = subject[train][:, np.newaxis] == subject[test]
        if name == "leave-subjects-out":
            assert not same.any()
            continue
        assert same.all()
        if name == "within-session":
            assert len({*session[train], *session[test]}) == 1
        if name == "leave-sessions-out":
            assert session[train].max() < session[test].min()


def test_help_does_not_wait_for_what_the_commands_need():
    code = "import sys, skbci.cli; print({'torch', 'mne', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(("said", "shown"), [
    ("a.xdf has 2 EEG streams: choose one with stream=...; it has", "one with --stream; it has"),
    ("a.xdf has 2 marker streams: choose one with marker_stream=...; it has",
     "one with --marker-stream; it has"),
    ("Pass stim_channel=... to take them from the channel.", "read_epochs(..., stim_channel=...)"),
    ("whose names hold one of event_id beside others: 'a/b' (1). Name them in event_id, too",
     "one of --events beside others: 'a/b' (1). Name them in --events, too"),
    ("Leave them out with picks=... where that does not do.", "with --picks where that"),
])
def test_remedies_are_options_or_what_there_is_in_python(said, shown):
    from skbci.cli._words import in_options

    assert shown in in_options(said)
