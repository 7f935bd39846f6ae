"""The findings as Markdown: for a terminal, a job's summary and a comment on a pull request."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from genredag.evaluation.markdown import markdown_table
from genredag.params.tree import MISSING, Leaf
from genredag.project.check_params.plan import Plan


@dataclass
class Findings:
    """Everything that one run of `check-params` found; `failures` determine its exit status."""

    reference: str | None = None
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    leaves: dict[Leaf, tuple[object, object]] = field(default_factory=dict)
    plan: Plan | None = None
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the whole report."""
        title = "Check of the parameters" + (f" against {self.reference}" if self.reference else "")
        parts = [f"## {title}", _verdict(self.failures), "\n".join(f"- {note}" for note in self.notes)]
        if self.reference:
            parts.append(_leaf_table(self.leaves))
        if self.plan:
            parts.append(_plan_table(self.plan))
        if self.after:
            parts.append(_metric_table(self.before, self.after))
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
    return MISSING if value is MISSING else f"`{json.dumps(value, ensure_ascii=False)}`"


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


def _metric_table(before: dict[str, float], after: dict[str, float]) -> str:
    rows = []
    for name, value in after.items():
        old = before.get(name)
        was, change = (MISSING, MISSING) if old is None else (f"{old:.4f}", f"{value - old:+.4f}")
        rows.append((name, was, f"{value:.4f}", change))
    return markdown_table(rows, ("test, tiny data set", "before", "now", "change"), "lrrr")
