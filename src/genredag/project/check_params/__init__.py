"""Check a change of ``params.yaml`` and its effect on stages and metrics, locally or in CI."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genredag.errors import ParameterError
from genredag.params.groups.reading import parse_yaml
from genredag.params.tree import Tree, differences
from genredag.project.check_params.lock import lock_problems
from genredag.project.check_params.parity import disagreements
from genredag.project.check_params.plan import (
    ask,
    build_placeholders,
    choice_of,
    contradictions,
    widen,
    write_tree,
)
from genredag.project.check_params.table import Findings
from genredag.project.check_params.tiny import TRIAL, tiny_tree
from genredag.project.check_params.trial import choose, models_to_try, run_trials
from genredag.project.check_params.verdict import verdicts
from genredag.project.check_params.workplace import RunnerError, Workplace, copy_project, extract_reference
from genredag.project.validation import load_valid_params
from genredag.runtime.files import write_text


def check_params(project: Path, against: str | None, output: Path | None, tolerance: float) -> int:
    """Check the parameters of a project, alone or against a git reference, and print Markdown.

    Parameters
    ----------
    project
        The project's folder, which is not modified.
    against
        A git reference to compare with: list the values that differ, ask both runners what reruns, and run
        the experiment on a small data set, with several seeds, before and after the change.
    output
        A file to which the Markdown is also written.
    tolerance
        The largest accepted drop in the accuracy on tracks, 0 to 1. A larger one fails if its interval,
        over tracks and seeds, excludes 0.

    Returns
    -------
    int
        0 if all checks pass, 1 if one fails.

    Raises
    ------
    ParameterError
        The parameters are invalid, or the reference can't be read.
    """
    load_valid_params(project / "params.yaml")
    old = None if against is None else _read(_reference_text(project, against), against)
    findings = Findings(against, tolerance)
    with tempfile.TemporaryDirectory(prefix="genredag-") as name:
        folder = Path(name)
        _check_alone(project, folder, findings)
        if old is not None:
            new = _read((project / "params.yaml").read_text(encoding="utf-8"), "params.yaml")
            findings.leaves = differences(old, new)
            _check_change(project, folder, findings, old, new)
    markdown = findings.markdown()
    print(markdown, end="")
    if output is not None:
        write_text(output, markdown)
    return 1 if findings.failures else 0


def _check_alone(project: Path, folder: Path, findings: Findings) -> None:
    findings.notes.append("params.yaml is valid")
    with _status("Comparing params.yaml and the code with dvc.lock"):
        place = copy_project(project, folder / "alone")
        problems = lock_problems(place, project / "dvc.lock")
    findings.failures += problems
    if not problems:
        findings.notes.append("dvc.lock matches")
    with _status("Comparing Snakemake's and DVC's stages"):
        problems = disagreements(place)
    findings.failures += problems
    if not problems:
        findings.notes.append("Snakefile and dvc.yaml agree")


def _check_change(project: Path, folder: Path, findings: Findings, old: Tree, new: Tree) -> None:
    reference = str(findings.reference)
    try:
        with _status(f"Preparing a copy of {reference}"):
            place = extract_reference(project, reference, folder / "plan")
            write_tree(place.folder / "params.yaml", widen(old))
            build_placeholders(place)
    except RunnerError as error:
        findings.notes.append(f"{reference} can't be run, so only values are compared: {error}")
        return
    with _status(f"Asking both runners what reruns since {reference}"):
        copy_project(project, place.folder)
        write_tree(place.folder / "params.yaml", widen(new))
        plan = findings.plan = ask(place)
    if choice_of(old) == choice_of(new):
        findings.failures += contradictions(plan, choice_of(new))
    choice = choose(plan, new)
    if choice is not None:
        touched = list(findings.leaves)
        trees = [tiny_tree(tree, choice, touched, TRIAL) for tree in (old, new)]
        models = models_to_try(new, choice, touched)
        _try(project, folder / "trial", findings, trees, [m for m in models if m in old["models"]])


def _try(project: Path, folder: Path, findings: Findings, trees: list[Tree], models: list[str]) -> None:
    reference = str(findings.reference)
    places = extract_reference(project, reference, folder / "before"), copy_project(project, folder / "after")
    with _status(f"Running {reference} and the change on a small data set"):
        before, after = run_trials(places, trees, models)
    if isinstance(after, Exception):
        findings.failures.append(f"the small data set can't be run: {after}")
    elif isinstance(before, Exception):
        findings.notes.append(
            f"{reference} can't run this experiment, so there are no metrics to compare: {before}"
        )
    else:
        findings.verdicts = verdicts(before, after)
        findings.failures += [
            f"{verdict.model}: track accuracy drops from {verdict.before:.3f} to {verdict.after:.3f}"
            f" (95 % interval of the change: {verdict.change.low:+.3f} to {verdict.change.high:+.3f})"
            for verdict in findings.verdicts
            if verdict.is_drop(findings.tolerance)
        ]


def _reference_text(project: Path, reference: str) -> str:
    place = Workplace(project)
    if place.run("git", "rev-parse", "--git-dir", check=False).returncode:
        raise ParameterError("not in a git repository", where=str(project), hint="leave out --against")
    if place.run(
        "git", "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}", check=False
    ).returncode:
        raise ParameterError(
            f"unknown git reference {reference!r}",
            where="--against",
            hint="run `git fetch` if it is on the remote",
        )
    shown = place.run("git", "show", f"{reference}:./params.yaml", check=False)
    if shown.returncode:
        raise ParameterError(
            f"{reference!r} has no params.yaml", where="--against", hint="choose a later commit"
        )
    return shown.stdout


def _read(text: str, source: str) -> Tree:
    tree = parse_yaml(text, source)
    if not isinstance(tree, dict):
        raise ParameterError("its params.yaml has no values", where=source)
    return tree


@contextmanager
def _status(message: str) -> Iterator[None]:
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:  # where rich shows no status
        console.print(message, soft_wrap=True)
    with console.status(f"{message} ..."):
        yield
