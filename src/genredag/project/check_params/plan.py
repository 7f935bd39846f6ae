"""Find the stages that a change reruns, according to both runners; nothing is computed.

A project gets placeholder outputs, which Snakemake and DVC are made to accept as real ones. Then its files
are replaced, and both runners list what they would run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from genredag.params.groups.reading import format_yaml
from genredag.params.stages import STAGES
from genredag.params.tree import Tree
from genredag.project.check_params.runners import Job, downstream, dvc_changes, outputs, snakemake_jobs
from genredag.project.check_params.workplace import Workplace
from genredag.project.stages import read_stages

# The keys of the one experiment, and those of them that `matrix` also has.
KEYS = ("dataset", "representation", "model", "split", "fold", "seed")
AXES = tuple(key for key in KEYS if key != "fold")


@dataclass(frozen=True)
class Plan:
    """What would rerun: Snakemake's jobs of the matrix, and DVC's stages of the experiment with causes."""

    jobs: list[Job]
    n_jobs: Counter[str]
    direct: dict[str, list[str]]
    reached: set[str]

    def stages(self) -> list[str]:
        """Return the stages that rerun in either runner, in pipeline order."""
        return [name for name in STAGES if name in self.reached or any(job.rule == name for job in self.jobs)]


def build_placeholders(place: Workplace) -> None:
    """Create placeholder outputs, so that both runners consider the project up to date."""
    jobs = snakemake_jobs(place, "--forceall")
    stages = read_stages(place.folder / "dvc.yaml").values()
    for file in [
        *(file for job in jobs for file in job.output),
        *(f for stage in stages for f in outputs(stage)),
    ]:
        path = place.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file, encoding="utf-8")
    place.snakemake("--touch", "--forceall", "--cores", "1")
    if not (place.folder / ".dvc").is_dir():
        place.dvc("init", "--no-scm", "--quiet")
    place.dvc("commit", "--force", "--quiet")


def ask(place: Workplace) -> Plan:
    """Ask both runners what they would run now."""
    n_jobs = Counter(job.rule for job in snakemake_jobs(place, "--forceall"))
    direct = {stage: causes for stage, causes in dvc_changes(place).items() if stage in STAGES}
    return Plan(snakemake_jobs(place), n_jobs, direct, downstream(place.folder / "dvc.yaml", direct))


def choice_of(tree: Tree) -> dict[str, str]:
    """Return the names of the one experiment, as wildcards; `fold` is empty if the split has none."""
    has_folds = tree["splits"][tree["split"]].get("protocol") == "kfold"
    return {key: str(tree[key]) for key in AXES} | {"fold": f"-{tree['fold']}" if has_folds else ""}


def run_folder(tree: Tree) -> Path:
    """Return the folder in which Snakemake trains and evaluates the one experiment."""
    choice = choice_of(tree)
    split = choice["split"] + choice["fold"]
    return Path(
        "results", choice["dataset"], choice["representation"], choice["model"], split, choice["seed"]
    )


def contradictions(plan: Plan, choice: dict[str, str]) -> list[str]:
    """Return the stages of the experiment that only one runner would rerun, one line per runner.

    The report is ignored if DVC does not rerun it, because Snakemake's also covers other experiments.
    """
    ours = {job.rule for job in plan.jobs if job.wildcards.items() <= choice.items()}
    if "report" not in plan.reached:
        ours.discard("report")
    only = {"Snakemake": ours - plan.reached, "DVC": plan.reached - ours}
    return [f"only {name} would rerun {', '.join(sorted(stages))}" for name, stages in only.items() if stages]


def widen(tree: Tree) -> Tree:
    """Return the parameters with the one experiment added to the matrix, so that both runners see it."""
    matrix = {key: list(dict.fromkeys([*tree["matrix"][key], tree[key]])) for key in AXES}
    return {**tree, "matrix": matrix}


def write_tree(path: Path, tree: Tree) -> None:
    """Write parameters as YAML."""
    path.write_text(format_yaml(tree), encoding="utf-8")
