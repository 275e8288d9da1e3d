"""Files that take another's place once they are complete."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from skbci._checks import check_path
from skbci._process.files import replacing


def test_a_file_is_replaced_when_it_is_complete(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_one_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def interrupted():
        with replacing(path) as file:
            file.write(b"ne")
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def test_errors_name_the_file_and_not_the_one_beside_it(tmp_path):
    def fails():
        with replacing(tmp_path / "a") as file:
            file.write(b"ne")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the disk is full

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match=r"No space left on device: '.*/a'") as said:
        fails()
    assert said.value.errno == errno.ENOSPC
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]
    missing = tmp_path / "nowhere" / "a"
    with pytest.raises(FileNotFoundError, match=re.escape(f"'{missing}'")), replacing(missing):
        pass


def test_links_are_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder" / "a")
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "folder" / "a").read_bytes() == b"new"


def test_write_protected_files_stay(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may write
    with pytest.raises(PermissionError, match="a is write-protected"), replacing(path):
        pass
    assert path.read_bytes() == b"old"


def test_what_is_no_file_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(pipe) as file:
            file.write(b"new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize("path", [None, 3, b"a", "", "a\0b", ["a"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises((TypeError, ValueError), match="save: path=.* the path of a file"):
        check_path(path, "path", "save")


def test_a_path_from_the_users_folder():
    assert check_path("~/a", "path", "save") == Path.home() / "a"
