"""Alarms of `genredag check-params` on harmless and harmful changes of params.yaml and of the code.

Each change is tried as in a check: two models, three seeds, a small data set. The side without the change is
run once for each set of values that it may have. A row is written as soon as it is known, and rows that the
table has are not run again, so that a long run can be done in pieces. Predictions that were kept are judged
without a new run, as by another verdict.

    python benchmarks/check_params.py --table alarms.csv --keep trials --minutes 20
    python benchmarks/check_params.py --table alarms.csv --keep trials --only "learning rate x 1000"
    python benchmarks/check_params.py --table alarms.csv --page docs/decisions/runners.md
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genredag.errors import GenredagError
from genredag.evaluation.markdown import markdown_table
from genredag.params.groups.reading import parse_yaml, read_tree
from genredag.params.loading import parse_params
from genredag.params.tree import Tree, assign, differences
from genredag.project.check_params.plan import choice_of
from genredag.project.check_params.tiny import TRIAL, tiny_tree
from genredag.project.check_params.trial import Trial, models_to_try, run_trial
from genredag.project.check_params.verdict import verdicts
from genredag.project.check_params.workplace import copy_project
from genredag.project.validation import check_valid

TOLERANCE = 0.05
BEGIN, END = "<!-- begin alarms of check-params -->", "<!-- end alarms of check-params -->"
LABELS = "labels=np.array([index[genre] for genre in genres], np.int32)"
SHUFFLED = "labels=np.random.default_rng(0).permutation([index[genre] for genre in genres]).astype(np.int32)"


@dataclass(frozen=True)
class Change:
    """A change: values of params.yaml, of whose model `{model}` is the name, and an edit of the code.

    An edit is (file, old text, new text).
    """

    name: str
    values: str = ""
    edit: tuple[str, str, str] | None = None


HARMLESS = (
    # Not `seed`, in whose place a check has three of its own.
    Change(
        "another seed of training",
        edit=("training/fitting.py", "seed=inputs.seed,", "seed=inputs.seed + 1000,"),
    ),
    Change("a comment", edit=("training/networks.py", "\n\n", "\n# Edited.\n\n")),
    Change("a variable renamed", edit=("frames/slices.py", "offset", "shift_of_start")),
    Change("overlap 0.5 to 0.49", "slices.overlap: 0.49"),
    Change("overlap 0.5 to 0.45", "slices.overlap: 0.45"),
    Change("overlap 0.5 to 0.25", "slices.overlap: 0.25"),
    Change("slices of 2.9 s", "slices.seconds: 2.9"),
    Change("hop 512 to 500", "representations.mel.hop_length: 500"),
    Change("128 to 120 mels", "representations.mel.n_mels: 120"),
    Change("fmax 11,025 to 11,000 Hz", "representations.mel.fmax: 11000.0"),
    Change("top_db 80 to 75", "representations.mel.top_db: 75.0"),
    Change("window hamming", "representations.mel.window: hamming"),
    Change("frames of 8 bits", "spectrograms.dtype: uint8"),
    Change("normalisation global", "train.normalisation: global"),
    Change("learning rate x 1.1", "models.{model}.learning_rate: 0.0011"),
    Change("dropout 0.5 to 0.45", "models.{model}.options.dropout: 0.45"),
    Change("filters of 100 bins, not 102", "models.{model}.options.filter_bins: 100"),
    Change("batches of 30, not 32", "models.{model}.batch_size: 30"),
    Change("log_sum for tracks", "evaluate.track_decision: log_sum"),
    Change("tracks of 0.9 s", "download.min_seconds: 0.9"),
)
HARMFUL = (
    Change("learning rate x 1000", "models.{model}.learning_rate: 1.0"),
    Change("slices of 5 frames", "representations.mel.hop_length: 13230"),
    Change("4 mels", "representations.mel.n_mels: 4"),
    Change("shuffled labels", edit=("frames/batches.py", LABELS, SHUFFLED)),
    Change(
        "frames of other tracks", edit=("frames/store.py", "array[first : first + valid]", "array[:valid]")
    ),
    Change("dropout 0.99", "models.{model}.options.dropout: 0.99"),
    Change("top_db 1", "representations.mel.top_db: 1.0"),
    Change("fmax 100 Hz", "representations.mel.fmax: 100.0"),
    Change("learning rate x 0.0001", "models.{model}.learning_rate: 1.0e-7"),
    Change("slices of 0.1 s", "slices.seconds: 0.1"),
)


def main(argv: list[str] | None = None) -> None:
    """Try changes until all are in the table or the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=1e9, help="start no change after this time")
    parser.add_argument("--only", nargs="*", help="names of changes")
    parser.add_argument("--keep", type=Path, help="folder in which the predictions are kept")
    parser.add_argument("--page", type=Path, help="only write the table into this page")
    args = parser.parse_args(argv)
    if args.page:
        write_page(args.page, pd.read_csv(args.table))
        return
    project, start = Path(__file__).resolve().parents[1], time.monotonic()
    rows = pd.read_csv(args.table).to_dict("records") if args.table.is_file() else []
    done = {str(row["change"]) for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(project, Path(folder), args.keep or Path(folder) / "kept")
        for kind, changes in (("harmless", HARMLESS), ("harmful", HARMFUL)):
            for change in changes:
                wanted = change.name not in done and (args.only is None or change.name in args.only)
                if not wanted or time.monotonic() - start > 60 * args.minutes:
                    continue
                alarm, words = tried(trials, change)
                row = {"change": change.name, "kind": kind, "alarm": alarm, "why": words}
                rows.append(row | {"code": commit_of_code(project)})
                in_order(pd.DataFrame(rows)).to_csv(args.table, index=False)
                print(*rows[-1].values(), sep="; ", flush=True)


def commit_of_code(project: Path) -> str:
    """Return the last commit that changed the code."""
    command = ["git", "log", "-1", "--format=%h", "--", "src"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout.strip()


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort rows as the changes are listed here."""
    names = [change.name for change in HARMLESS + HARMFUL]
    return rows.sort_values("change", key=lambda column: column.map(names.index))


def write_page(page: Path, rows: pd.DataFrame) -> None:
    """Write the table between its marks in a page of the documentation."""
    counts = rows.groupby("kind")["alarm"].agg(["sum", "size"])
    lines = [
        f"{counts['sum'][kind]} of {counts['size'][kind]} {kind} changes give an alarm."
        for kind in ("harmless", "harmful")
    ]
    shown = rows.assign(alarm=rows["alarm"].map({True: "yes", False: "no"}))
    table = markdown_table(
        shown[["kind", "change", "alarm", "why", "code"]].to_numpy().tolist(),
        ("", "change", "alarm", "verdict", "code of"),
        "lllll",
    )
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{' '.join(lines)}\n\n{table}\n{END}{after}", encoding="utf-8")


@dataclass(frozen=True)
class Trials:
    """Trials of a project, run in a folder; their predictions are kept in another one and not run again."""

    project: Path
    folder: Path
    kept: Path

    def run(self, name: str, tree: Tree, models: list[str], change: Change | None = None) -> Trial:
        """Return a trial of some models, of which those are run that are not kept."""
        file = self.kept / f"{re.sub(r'[^a-zA-Z0-9.]+', '-', name)}.parquet"
        found = read_trial(file) if file.is_file() else Trial({})
        missing = [model for model in models if model not in {name for name, _ in found.tracks}]
        if missing:
            found = Trial(found.tracks | one_side(self.project, self.folder, tree, missing, change).tracks)
            file.parent.mkdir(parents=True, exist_ok=True)
            tables = [table.assign(model=run[0], run_seed=run[1]) for run, table in found.tracks.items()]
            pd.concat(tables).to_parquet(file)
        return Trial({run: table for run, table in found.tracks.items() if run[0] in models})


def read_trial(file: Path) -> Trial:
    """Read a trial that was kept."""
    table = pd.read_parquet(file)
    return Trial({(str(run[0]), int(run[1])): rows for run, rows in table.groupby(["model", "run_seed"])})


def tried(trials: Trials, change: Change) -> tuple[bool, str]:
    """Try a change; return whether it gives an alarm, and what the check says."""
    file = trials.project / "params.yaml"
    old, new = read_tree(file), read_tree(file)
    values = change.values.replace("{model}", str(old["model"])) or "{}"
    for key, value in parse_yaml(values, change.name).items():
        assign(new, tuple(key.split(".")), value)
    choice, touched = choice_of(new), list(differences(old, new))
    models = models_to_try(new, choice, touched)
    small, plain = (tiny_tree(old, choice_of(old), leaves, TRIAL) for leaves in (touched, []))
    own = [f"{'.'.join(leaf)}={values[1]}" for leaf, values in differences(plain, small).items()]
    try:
        check_valid(parse_params(new), file)
        before = trials.run(" ".join(["before", *own]), small, models)
        after = trials.run(change.name, tiny_tree(new, choice, touched, TRIAL), models, change)
    except GenredagError as error:
        return True, f"refused: {error.what.rpartition('genredag: error: ')[2]}"
    found = verdicts(before, after)
    lines = (f"{v.model} {v.before:.2f} to {v.after:.2f}: {v.words(TOLERANCE)}" for v in found)
    return any(verdict.is_drop(TOLERANCE) for verdict in found), "; ".join(lines)


def one_side(
    project: Path, folder: Path, tree: Tree, models: list[str], change: Change | None = None
) -> Trial:
    """Run one side of a trial in a copy of the project; all of them share the rendered music."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = copy_project(project, Path(name))
        if change and change.edit:
            file = place.folder / "src/genredag" / change.edit[0]
            text = file.read_text(encoding="utf-8")
            if change.edit[1] not in text:
                raise ValueError(f"{change.name}: {change.edit[1]!r} is not in {change.edit[0]}")
            file.write_text(text.replace(*change.edit[1:]), encoding="utf-8")
        return run_trial(place, tree, models)


if __name__ == "__main__":
    main()
