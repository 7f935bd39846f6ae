"""What reruns when a value or the code changes, from groups and imports; tests compare the runners."""

from __future__ import annotations

from pathlib import Path

from genredag.params.stages import EXTRA_GROUPS, STAGE_GROUPS, STAGES
from genredag.params.tree import Leaf, Tree, flatten
from genredag.project.check_params.plan import KEYS
from genredag.project.stages import SCRIPTS, is_code, read_stages, stage_code

Stages = tuple[str, ...]
# The first stage whose command names a key of the experiment.
FIRST = {
    "dataset": "download",
    "representation": "spectrograms",
    "split": "split",
    "fold": "split",
    "seed": "split",
    "model": "embed",
}

# Kinds of edit, each with a module of the package that it touches; the experiment is mel, crnn.
EDITS = {
    "the command line": "cli/songs.py",
    "a field of an audit": "params/groups/audits.py",
    "checks across values": "params/checks.py",
    "which models take which representations": "models/compatibility.py",
    "a data set that is not used": "datasets/fma.py",
    "a representation that is not used": "spectrograms/cqt.py",
    "the representation that is used": "spectrograms/mel.py",
    "how slices are cut": "frames/slices.py",
    "how tracks are split": "splits/split.py",
    "a new model": "models/families/new_model.py",
    "an architecture that is not used": "models/families/recurrent.py",
    "the architecture that is used": "models/families/pons.py",
    "the training of networks": "training/networks.py",
    "a metric": "evaluation/metrics.py",
    "an audit": "audits/leakage/worth.py",
    "the report": "report/page.py",
}

# Changes of the user's own music; each reruns everything in both runners.
MUSIC = (
    "a file is added to a folder",
    "a file in a folder is removed",
    "a file in a folder is renamed",
    "a file is replaced by one of the same size",
    "a line is added to a CSV",
    "a file that a CSV names is replaced",
    "an archive is replaced",
)


def reruns(tree: Tree, leaf: Leaf) -> tuple[Stages, Stages]:
    """Return the stages that Snakemake reruns, and those that DVC does, when one leaf changes."""
    if leaf[0] in KEYS:
        return (), _from(FIRST[leaf[0]])
    if leaf[0] == "matrix":
        return _from(FIRST[leaf[1]]), ()
    for stage, groups in STAGE_GROUPS.items():
        for group in groups:
            path = tuple(group.format(**tree).split("."))
            if leaf[: len(path)] == path:
                return _from(stage), _from(stage)
    return (), ()


def edit_reruns(project: Path, tree: Tree, module: str) -> tuple[Stages, Stages]:
    """Return the stages that Snakemake reruns, and those that DVC does, when a module's code changes.

    Parameters
    ----------
    module
        A path below ``src/genredag``.
    """
    file = project / "src/genredag" / module
    choice = {key: tree[key] for key in ("dataset", "representation", "model")}
    declared = {
        stage: [project / dep for dep in values["deps"] if is_code(dep)]
        for stage, values in read_stages(project / "dvc.yaml").items()
        if stage in STAGES
    }
    ours = [
        stage for stage in STAGES if file in stage_code(project / SCRIPTS, project / "src", stage, **choice)
    ]
    theirs = [stage for stage in STAGES if any(map(file.is_relative_to, declared[stage]))]
    return (_from(ours[0]) if ours else ()), (_from(theirs[0]) if theirs else ())


def _from(stage: str) -> Stages:
    return STAGES[STAGES.index(stage) :]


def reruns_page(project: Path, tree: Tree) -> str:
    """Return a Markdown page of every leaf and kind of edit, and the stages that rerun when it changes."""
    lines = [
        "# What a change reruns",
        "",
        "For the experiment of `params.yaml`. Written by `genredag generate`; a test compares each line with",
        "Snakemake and DVC. Changing a model, data set, representation or split that the experiment does not",
        "use reruns nothing here; it reruns its own jobs if `matrix` lists it. DVC stops early if the output",
        "of a stage stays the same. Optional targets, which run on request, are shown as commands.",
        "",
        "| value | Snakemake | DVC |",
        "|---|---|---|",
    ]
    for leaf, _ in flatten(tree):
        ours, theirs = (_shown(stages) for stages in reruns(tree, leaf))
        if leaf[0] in EXTRA_GROUPS:
            ours = f"`snakemake {leaf[0]}`"
        lines.append(f"| `{'.'.join(leaf)}` | {ours} | {theirs} |")
    return "\n".join([*lines, *_music(), *_edits(project, tree)]) + "\n"


def _music() -> list[str]:
    return [
        "",
        "## What a change of your own music reruns",
        "",
        "For a data set with a `path`, `files` or `tracks` of your own. Names, sizes and modification times",
        "count, not contents. `~` is your home directory; other paths are relative to the project, also in",
        "experiments that `dvc exp run --temp` or `--queue` runs elsewhere. DVC learns of a change from the",
        "stage `music`, which always runs.",
        "",
        "| change | Snakemake | DVC |",
        "|---|---|---|",
        *(f"| {change} | {_shown(STAGES)} | {_shown(STAGES)} |" for change in MUSIC),
    ]


def _edits(project: Path, tree: Tree) -> list[str]:
    lines = [
        "",
        "## What an edit of the code reruns",
        "",
        "Snakemake compares what the code does, not its text: comments, docstrings and layout rerun nothing,",
        "and neither do modules of data sets, representations and models that a job does not use. DVC",
        "compares the bytes of the folders and files that `dvc.yaml` lists, so there a docstring does count.",
        "",
        "| edit of | module | Snakemake | DVC |",
        "|---|---|---|---|",
    ]
    for kind, module in EDITS.items():
        ours, theirs = (_shown(stages) for stages in edit_reruns(project, tree, module))
        lines.append(f"| {kind} | `{module}` | {ours} | {theirs} |")
    return lines


def _shown(stages: Stages) -> str:
    if not stages:
        return "nothing"
    return f"{stages[0]} to {stages[-1]}" if len(stages) > 1 else stages[0]
