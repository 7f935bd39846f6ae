"""The findings as Markdown: for a terminal, a job's summary and a comment on a pull request."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field

from genredag.evaluation.intervals import Interval
from genredag.evaluation.markdown import markdown_table
from genredag.params.tree import MISSING, Leaf, in_words
from genredag.project.check_params.plan import Plan
from genredag.project.check_params.verdict import Verdict


@dataclass
class Findings:
    """Everything that one run of `check-params` found; `failures` determine its exit status."""

    reference: str | None = None
    tolerance: float = 0.0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    leaves: dict[Leaf, tuple[object, object]] = field(default_factory=dict)
    plan: Plan | None = None
    verdicts: list[Verdict] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the whole report."""
        title = "Check of the parameters" + (f" against {self.reference}" if self.reference else "")
        parts = [f"## {title}", _verdict(self.failures), "\n".join(f"- {note}" for note in self.notes)]
        if self.reference:
            parts.append(_leaf_table(self.leaves))
        if self.plan:
            parts.append(_plan_table(self.plan))
        if self.verdicts:
            parts.append(_verdict_table(self.verdicts, self.tolerance))
        return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(failures: list[str]) -> str:
    if not failures:
        return "All checks passed."
    return "\n".join([f"**{len(failures)} failed:**", "", *(f"- {failure}" for failure in failures)])


def _leaf_table(leaves: dict[Leaf, tuple[object, object]]) -> str:
    if not leaves:
        return "No value of params.yaml changed."
    rows = [(f"`{'.'.join(leaf)}`", _shown(old), _shown(new)) for leaf, (old, new) in leaves.items()]
    return markdown_table(rows, ("value", "before", "now"), "lll")


def _shown(value: object) -> str:
    return MISSING if value is MISSING else f"`{in_words(value)}`"


def _plan_table(plan: Plan) -> str:
    if not plan.stages():
        return "No stage reruns."
    jobs = Counter(job.rule for job in plan.jobs)
    rows = []
    for stage in plan.stages():
        why = ", ".join(f"`{cause}`" for cause in plan.direct.get(stage, []))
        why = why or ("an earlier stage" if stage in plan.reached else "other experiments in the matrix")
        dvc = "reruns" if stage in plan.reached else "unchanged"
        rows.append((stage, f"{jobs[stage]} of {plan.n_jobs[stage]}", dvc, why))
    return markdown_table(rows, ("stage", "Snakemake jobs that rerun", "DVC", "cause"), "llll")


def _verdict_table(verdicts: list[Verdict], tolerance: float) -> str:
    header = ("model, small data set", "seeds", "track accuracy before", "now", "change, in points", "")
    rows = []
    for verdict in verdicts:
        change = Interval(*(100 * value for value in dataclasses.astuple(verdict.change)))
        accuracies = f"{verdict.before:.3f}", f"{verdict.after:.3f}"
        words = verdict.words(tolerance)
        rows.append((verdict.model, str(verdict.n_seeds), *accuracies, change.text(sign="+"), words))
    return markdown_table(rows, header, "lrrrrl")
