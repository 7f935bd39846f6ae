"""`genredag check-params` on example changes in a temporary git repository."""

from __future__ import annotations

import re

import pytest

from genredag.cli import app

pytestmark = pytest.mark.slow


@pytest.fixture
def repository(unchanged, monkeypatch: pytest.MonkeyPatch):
    """The built toy project, as the working directory."""
    monkeypatch.chdir(unchanged.folder)
    return unchanged


def check(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        app(["check-params", *arguments])
    return int(stop.value.code or 0)


def stage_rows(markdown: str) -> dict[str, list[str]]:
    """Read the table of stages: stage -> its other cells."""
    markdown = re.sub(" +", " ", markdown)
    table = markdown[markdown.index("| stage |") :]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in table.splitlines() if line.startswith("|")]
    return {
        row[0]: row[1:]
        for row in rows[2:]
        if len(row) == 4 and row[0] in "train evaluate report slices split"
    }


def test_nothing_changed(repository, capsys) -> None:
    assert check("--against", "HEAD") == 0
    told = capsys.readouterr().out
    assert "All checks passed." in told
    assert "No value of params.yaml changed." in told
    assert "No stage reruns." in told


def test_a_learning_rate_reruns_training_and_what_follows(repository, capsys, tmp_path) -> None:
    repository.set("models.crnn.learning_rate=0.0005")
    repository.dvc("repro")
    assert check("--against", "HEAD", "--output", str(tmp_path / "changes.md")) == 0
    told = capsys.readouterr().out
    assert told == (tmp_path / "changes.md").read_text(encoding="utf-8")
    rows = stage_rows(told)
    assert list(rows) == ["train", "evaluate", "report"]
    assert rows["train"] == ["2 of 4", "reruns", "`params.yaml: models.crnn`"]
    assert rows["evaluate"] == ["2 of 4", "reruns", "an earlier stage"]
    told = re.sub(" +", " ", told)
    assert "| `models.crnn.learning_rate` | `0.001` | `0.0005` |" in told
    assert "| crnn | 3 | 0.900 | 0.900 | +0.0 (" in told
    assert "| no difference seen, but a drop under" in told
    assert "svm_rbf |" not in told


def test_a_model_outside_the_experiment_reruns_its_own_jobs(repository, capsys) -> None:
    repository.set("models.svm_rbf.options.C=1.0")
    assert check("--against", "HEAD") == 0
    rows = stage_rows(capsys.readouterr().out)
    assert rows["train"] == ["2 of 4", "unchanged", "other experiments in the matrix"]


def test_comments_and_order_rerun_nothing(repository, capsys) -> None:
    repository.edit("params.yaml", "  overlap: 0.5", "  # A comment.\n  overlap: 0.50  # half")
    assert check("--against", "HEAD") == 0
    assert "No stage reruns." in capsys.readouterr().out


def test_a_slice_length_without_a_new_lock_fails(repository, capsys) -> None:
    repository.set("slices.seconds=2.0")
    assert check("--against", "HEAD") == 1
    told = capsys.readouterr().out
    assert "dvc.lock is out of date: slices (params.yaml: slices)" in told
    assert list(stage_rows(told))[:2] == ["slices", "split"]


def test_a_drop_in_a_metric_fails(repository, capsys) -> None:
    repository.set("models.crnn.options.dropout=0.9")
    repository.dvc("repro")
    assert check("--against", "HEAD", "--tolerance", "0.1") == 1
    assert "crnn: track accuracy drops from 0.900 to 0.400 (95 % interval" in capsys.readouterr().out
    assert check("--against", "HEAD", "--tolerance", "0.6") == 0


def test_disagreeing_dags_fail(repository, capsys) -> None:
    repository.edit("dvc.yaml", 'params: [model, seed, train, "models.${model}"]', "params: [model, seed]")
    assert check() == 1
    only = "only in the Snakefile: models.${model}, train; only in dvc.yaml: none"
    assert f"train: parameters: {only}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--against", "nowhere"), "--against: unknown git reference 'nowhere'"),
        (("--against", "empty"), "'empty' has no params.yaml"),
    ],
)
def test_an_invalid_reference_is_reported_in_one_line(repository, capsys, arguments, told) -> None:
    tree = (
        repository.run("git", "mktree", check=False).stdout.strip()
        or "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    )
    commit = repository.run("git", "commit-tree", tree, "-m", "Empty").stdout.strip()
    repository.run("git", "tag", "-f", "empty", commit)
    assert check(*arguments) == 2
    error = capsys.readouterr().err.strip()
    assert told in error
    assert len(error.splitlines()) == 1


def test_a_typo_is_reported_in_one_line(repository, capsys) -> None:
    repository.edit("params.yaml", "overlap:", "overlp:")
    assert check("--against", "HEAD") == 2
    assert "params.yaml: slices.overlp: unknown key. Hint: did you mean 'overlap'?" in capsys.readouterr().err


def test_a_missing_git_repository_is_reported_in_one_line(toy, monkeypatch, capsys) -> None:
    monkeypatch.chdir(toy.folder)
    assert check("--against", "HEAD") == 2
    assert "not in a git repository" in capsys.readouterr().err


def test_a_reference_that_cannot_run_is_compared_by_its_values(repository, capsys) -> None:
    """As after a rename in the model of the parameters: its own values no longer fit."""
    repository.edit("params.yaml", "overlap: 0.5", "share: 0.5")
    repository.commit("Another model of the parameters")
    repository.edit("params.yaml", "share: 0.5", "overlap: 0.5")
    assert check("--against", "HEAD") == 0
    told = re.sub(" +", " ", capsys.readouterr().out)
    repository.run("git", "reset", "-q", "--hard", "HEAD~1")
    assert "HEAD can't be run, so only values are compared" in told
    assert "| `slices.overlap` | — | `0.5` |" in told
