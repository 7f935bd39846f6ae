import platform
import re

import numpy as np
import pytest

from genredag.runtime.provenance import read_commit, read_commit_date, read_versions


def test_versions():
    versions = read_versions()
    assert versions["python"] == platform.python_version()
    assert versions["numpy"] == np.__version__
    assert "genredag" in versions


def test_commit_is_a_hash_or_unknown(project_dir):
    commit = read_commit()
    assert (commit is None) == (not (project_dir / ".git").exists())
    assert commit is None or (len(commit) == 40 and int(commit, 16) > 0)


def test_no_commit_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert read_commit() is None


def test_a_commit_has_a_day(project_dir):
    commit = read_commit()
    if commit is None:
        assert read_commit_date("0" * 40) is None
    else:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", read_commit_date(commit))


@pytest.mark.parametrize("commit", ["0" * 40, "no such commit", "--output=here"])
def test_an_unknown_commit_has_no_day(commit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_commit_date(commit) is None
    assert list(tmp_path.iterdir()) == []
