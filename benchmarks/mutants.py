"""Do the tests notice a bug? A random sample of mutants of each package, and the tests of their modules.

cosmic-ray makes the mutants: it changes one operator, number, condition, loop or decorator of a module. A
mutant is killed if a test of its module fails. Places in the code are drawn, and then one mutant at each, so
that `+`, which has eleven, counts once. Annotations are left out, because nothing evaluates them.

The mutants are in a copy of the project. Each is tested by a process of its own, which starts with TensorFlow
and the other large packages loaded. The tests of a module must pass without a mutant first. A run that was
stopped, or ended by `--minutes`, continues where it was. After tests were added, `--again` repeats the
survivors that are not equivalent. `--known` takes results from the table of an earlier run, for mutants of
lines that did not change.
`benchmarks/mutants.yaml` says of each survivor why no test kills it.

    uv pip install cosmic-ray==8.4.6
    python benchmarks/mutants.py run --sample 40 --seed 0 --work .cache/mutants
    python benchmarks/mutants.py report --work .cache/mutants
"""

from __future__ import annotations

import argparse
import ast
import compileall
import difflib
import functools
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from contextlib import chdir
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pandas as pd
import yaml

PACKAGES = ("tracks", "frames", "splits", "models", "training", "evaluation", "audits")
# Tests of a module or folder that are not in `tests/<package>/test_<module>.py`, or not only.
TESTS = {
    "tracks/precomputed": ["datasets/test_spectrograms_dataset.py"],
    "frames/track": ["frames/test_rendering.py"],
    "splits/assignment": ["splits/test_assignment.py", "splits/test_split.py", "splits/test_check_split.py"],
    "splits/leakage": ["splits/test_check_split.py", "evaluation/test_metrics.py"],
    "splits/split": ["splits/test_check_split.py", "splits/test_split.py"],
    "models/branches": ["models/families/test_pons.py"],
    "models/inputs": ["models/test_assembly.py", "models/test_frozen.py"],
    "models/families/best": ["models/families/test_best.py"],
    "models/families/embeddings": ["contract/test_models.py"],
    "models/families/stacked": ["contract/test_models.py"],
    "models/families/classical": ["models/families/test_classical.py"],
    "training/fitting": ["training/test_train.py"],
    "training/networks": ["training/test_networks.py", "training/test_train.py"],
    "training/estimators": ["training/test_estimators.py", "training/test_train.py"],
    "training/checkpoint": ["training/test_checkpoint.py", "training/test_resuming.py"],
    "evaluation/markdown": ["audits/robustness/test_robustness_showing.py", "audits/external_songs"],
    "evaluation/themes": ["evaluation/test_plots.py"],
    "audits/as_published": ["audits/as_published"],
    "audits/external_songs": ["audits/external_songs"],
    "audits/label_issues": ["audits/label_issues"],
    "audits/leakage": ["audits/leakage"],
    "audits/learning_curves": ["audits/learning_curves"],
    "audits/robustness": ["audits/robustness"],
}
# What a process of tests finds loaded, if it is installed.
LARGE = [
    *("tensorflow", "keras", "librosa", "numba", "onnx", "pandas", "pyarrow.parquet", "sklearn.ensemble"),
    *(
        "sklearn.svm",
        "skops.io",
        "scipy.stats",
        "statsmodels.api",
        "matplotlib.pyplot",
        "seaborn",
        "cleanlab",
    ),
    *("av", "soundfile", "networkx", "pydantic", "pytest", "hypothesis", "yaml", "ruamel.yaml", "rich"),
]
# Of one mutant's tests; a mutant that never ends, or fills the memory, is killed by these.
CPU_SECONDS, WALL_SECONDS, MEMORY = 400, 3000, 24 << 30
VERDICTS = Path(__file__).with_suffix(".yaml")
# Added to the exit status of pytest, which distinguishes it from that of a process that could not start it.
RAN = 100
ROOT = Path(__file__).resolve().parents[1]


def tests_of(module: str) -> list[str]:
    """Return the tests of a module, as paths in `tests`: ``frames/store.py`` has ``frames/test_store.py``."""
    folder, name = os.path.split(module)
    default = [f"{folder}/test_{name}"] + ["models/test_sheet.py"] * (folder == "models/families")
    return TESTS.get(module.removesuffix(".py"), TESTS.get(folder, default))


def run_tests(tests: list[str], log: str, compiles: bool) -> None:
    """Run tests in this process, within limits, and exit with pytest's status."""
    import pytest

    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # Else a mutant of the same second and size would be taken for the one before.
    sys.dont_write_bytecode = not compiles
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", "-o", "pythonpath=tests src"]
    sys.exit(RAN + pytest.main([*options, *(f"tests/{test}" for test in tests)]))


def passes(context: ForkServerContext, tests: list[str], log: Path, check: bool = False) -> bool:
    """Return whether these tests pass, in a new process; no, if they do not end within the limits.

    A `check` of the code as it is also compiles the tests.
    """
    process = context.Process(target=run_tests, args=(tests, str(log), check))
    process.start()
    process.join(WALL_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        return False
    if 0 < process.exitcode < RAN or process.exitcode > RAN + 3:
        raise RuntimeError(f"the tests could not be started: exit status {process.exitcode}")
    return process.exitcode == RAN


def annotations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where annotations begin and end: (line, column) each."""
    nodes = list(ast.walk(ast.parse(source)))
    parts = [getattr(node, name, None) for node in nodes for name in ("annotation", "returns")]
    return [
        ((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset))
        for part in parts
        if isinstance(part, ast.expr)
    ]


def sample(package: str, n_places: int, seed: int) -> tuple[int, list]:
    """Return the number of mutants of a package, and one of each of `n_places` random places."""
    from cosmic_ray.commands.init import _all_work_items

    modules = sorted(Path("src/genredag", package).rglob("*.py"))
    skipped = {module: annotations(module.read_text(encoding="utf-8")) for module in modules}
    places: dict[tuple, list] = {}
    for item in _all_work_items(modules, {}):
        (mutation,) = item.mutations
        if not any(start <= mutation.start_pos < end for start, end in skipped[mutation.module_path]):
            places.setdefault((mutation.module_path, mutation.start_pos, mutation.end_pos), []).append(item)
    rng = random.Random(f"{package} {seed}")
    drawn = rng.sample(sorted(places), min(n_places, len(places)))
    items = [rng.choice(places[place]) for place in drawn]
    return sum(map(len, places.values())), [item for item in items if is_python(mutated(item)[1])]


def mutated(item) -> tuple[str, str]:
    """Return the source of a module before and after its mutation."""
    import cosmic_ray.plugins
    from cosmic_ray.mutating import mutate_code

    (mutation,) = item.mutations
    operator = cosmic_ray.plugins.get_operator(mutation.operator_name)(**mutation.operator_args)
    source = mutation.module_path.read_text(encoding="utf-8")
    return source, mutate_code(source, operator, mutation.occurrence)


def is_python(source: str) -> bool:
    """Return whether it can be compiled: cosmic-ray takes the `*` of a signature for a product."""
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def run(package: str, args: argparse.Namespace, copy: Path, context) -> None:
    """Test the sample of a package; results go to a file of cosmic-ray, one by one."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome

    args.work.mkdir(parents=True, exist_ok=True)
    path = args.work.resolve() / f"{package}_{args.seed}.sqlite"
    new = not path.exists()
    with chdir(copy), use_db(path, WorkDB.Mode.create) as database:
        if new:
            n_mutants, items = sample(package, args.sample, args.seed)
            print(f"{package}: {n_mutants} mutants, {len(items)} drawn", flush=True)
            database.add_work_items(items)
            for item, result in known_results(items, args.known):
                database.set_result(item.job_id, result)
        done = dict(database.results)

        def may_be_killed(item) -> bool:
            result = done[item.job_id]
            verdict = verdict_of(module_of(item), result.diff)["verdict"]
            return result.test_outcome == TestOutcome.SURVIVED and verdict != "equivalent"

        left = [
            item
            for item in database.work_items
            if item.job_id not in done or (args.again and may_be_killed(item))
        ]
        log = path.with_suffix(".log")
        checked: set[tuple[str, ...]] = set()
        for item in left:
            if time.monotonic() > args.end:
                return
            tests = tests_of(module_of(item))
            # With the limits of a mutant: tests that need more would kill all of them.
            if not (args.unchecked or tuple(tests) in checked or passes(context, tests, log, check=True)):
                sys.exit(f"{', '.join(tests)}: fails without a mutant\n{log.read_text()[-3000:]}")
            checked.add(tuple(tests))
            result = outcome(item, context, tests, log)
            database.set_result(item.job_id, result)
            print(f"{module_of(item)}: {result.test_outcome.value}", flush=True)


def known_results(items: list, file: Path | None) -> list[tuple]:
    """Return the mutants that the table of an earlier run has, and their results."""
    if file is None:
        return []
    table = pd.read_csv(file, keep_default_na=False)
    states = table.set_index(["module", "function", "before", "after"])["state"].to_dict()
    found = []
    for item in items:
        diff = difference(*mutated(item))
        state = states.get((module_of(item), function_of(item), changed(diff, "-"), changed(diff, "+")))
        if state is not None:
            found.append((item, result_of(state != "killed", diff, f"of {file}")))
    return found


def difference(before: str, after: str) -> str:
    """Return what a mutation changes, as a diff without context."""
    return "\n".join(difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm=""))


def result_of(survives: bool, diff: str, output: str):
    """Return a result in the form of cosmic-ray."""
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL,
        output=output,
        test_outcome=TestOutcome.SURVIVED if survives else TestOutcome.KILLED,
        diff=diff,
    )


def function_of(item) -> str:
    """Return the name of the function that a mutant changes; empty outside functions."""
    return item.mutations[0].definition_name or ""


def module_of(item) -> str:
    """Return the module that a mutant changes, for example ``frames/store.py``."""
    return item.mutations[0].module_path.relative_to("src/genredag").as_posix()


def outcome(item, context, tests: list[str], log: Path):
    """Return the result of one mutant's tests."""
    import cosmic_ray.plugins
    from cosmic_ray.mutating import use_mutation

    (mutation,) = item.mutations
    operator = cosmic_ray.plugins.get_operator(mutation.operator_name)(**mutation.operator_args)
    with use_mutation(mutation.module_path, operator, mutation.occurrence) as (before, after):
        survives = passes(context, tests, log)
    output = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    return result_of(survives, difference(before, after), output)


def run_all(args: argparse.Namespace) -> None:
    """Test the samples of the packages in a copy of the project."""
    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    os.environ |= dict.fromkeys(threads, "1") | {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".*", "data", "results", "experiment", "__pycache__", "node_modules")
        shutil.copytree(ROOT, copy, ignore=ignored)
        compileall.compile_dir(copy / "src", quiet=1)
        os.environ["PYTHONPATH"] = str(copy / "src")
        os.chdir(copy)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(LARGE)
        args.end = time.monotonic() + 60 * args.minutes
        for package in args.packages:
            run(package, args, copy, context)


def results(work: Path, seed: int) -> pd.DataFrame:
    """Return a row per tested mutant, with the verdict and reason of `VERDICTS` if it survives."""
    from cosmic_ray.work_db import WorkDB, use_db

    rows = []
    for package in PACKAGES:
        if not (path := work / f"{package}_{seed}.sqlite").is_file():
            continue
        with use_db(path, WorkDB.Mode.open) as database:
            for item, result in database.completed_work_items:
                module = module_of(item)
                before, after = (changed(result.diff, sign) for sign in "-+")
                verdict = verdict_of(module, result.diff)
                alive = result.test_outcome.value == "survived"
                state, reason = (verdict["verdict"], verdict["reason"]) if alive else ("killed", "")
                rows.append((package, module, function_of(item), before, after, state, reason))
    columns = ["package", "module", "function", "before", "after", "state", "reason"]
    return pd.DataFrame(rows, columns=columns).sort_values(columns, ignore_index=True)


@functools.cache
def verdicts() -> dict[tuple[str, str], dict[str, str]]:
    """Return the verdicts on survivors by their module and their mutated lines."""
    listed = yaml.safe_load(VERDICTS.read_text(encoding="utf-8"))
    return {(verdict["module"], verdict["after"]): verdict for verdict in listed}


def verdict_of(module: str, diff: str) -> dict[str, str]:
    """Return the verdict on a mutant of a module and its reason."""
    return verdicts().get((module, changed(diff, "+")), {"verdict": "survivor", "reason": "not judged yet"})


def changed(diff: str, sign: str) -> str:
    """Return the lines of a diff that are removed (`-`) or added (`+`), without their indentation."""
    lines = [line for line in diff.split("\n") if not line.startswith(("---", "+++"))]
    return " ".join(line[1:].strip() for line in lines if line.startswith(sign)).strip()


def report(args: argparse.Namespace) -> None:
    """Write the results as CSV and as a page."""
    from mutants_page import page

    from genredag.runtime.files import write_csv, write_text

    table = results(args.work, args.seed)
    write_csv(args.output, table)
    os.chdir(ROOT)
    counts = {
        package: (sample(package, 0, 0)[0], drawn(args.work, package, args.seed)) for package in PACKAGES
    }
    write_text(args.page, page(table, counts, args.seed))


def drawn(work: Path, package: str, seed: int) -> int:
    """Return the size of a sample."""
    from cosmic_ray.work_db import WorkDB, use_db

    if not (path := work / f"{package}_{seed}.sqlite").is_file():
        return 0
    with use_db(path, WorkDB.Mode.open) as database:
        return database.num_work_items


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    testing = commands.add_parser("run")
    testing.add_argument("packages", nargs="*", default=PACKAGES)
    testing.add_argument("--sample", type=int, default=45, help="places drawn per package")
    testing.add_argument("--seed", type=int, default=0)
    testing.add_argument("--again", action="store_true", help="repeat survivors that are not equivalent")
    testing.add_argument("--minutes", type=float, default=1e9, help="start no mutant after this time")
    testing.add_argument("--known", type=Path, help="table of an earlier run, such as docs/mutation.csv")
    testing.add_argument("--unchecked", action="store_true", help="the tests pass without a mutant")
    testing.add_argument("--work", type=Path, required=True, help="folder of cosmic-ray's results")
    testing.set_defaults(command=run_all)
    reporting = commands.add_parser("report")
    reporting.add_argument("--seed", type=int, default=0)
    reporting.add_argument("--work", type=Path, required=True)
    reporting.add_argument("--output", type=Path, default=ROOT / "docs/mutation.csv")
    reporting.add_argument("--page", type=Path, default=ROOT / "docs/mutation.md")
    reporting.set_defaults(command=report)
    args = parser.parse_args()
    args.work = args.work.resolve()
    if vars(args).get("known"):
        args.known = args.known.resolve()
    args.command(args)


if __name__ == "__main__":
    main()
