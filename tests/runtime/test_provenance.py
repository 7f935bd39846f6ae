import platform

import numpy as np

from genredag.runtime.provenance import read_commit, read_versions


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
