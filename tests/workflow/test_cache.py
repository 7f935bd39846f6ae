"""Nothing is built twice: both runners on a project of toy stages."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from genredag.params.stages import STAGES
from genredag.project.stages import SCRIPTS, read_stages, stage_code

pytestmark = pytest.mark.slow
# Jobs of the toy matrix: one data set, two representations, two models.
MATRIX = Counter(download=1, spectrograms=2, slices=2, split=2, embed=4, train=4, evaluate=4, report=1)
EXPERIMENT = Counter(dict.fromkeys(STAGES, 1))
DATA = ("manifest.parquet", "quarantine.csv", "frames.npy", "frames.parquet", "frames.json", "slices.parquet")
DATA += ("slices.json", "split.parquet", "metrics.json", "predictions.parquet", "confusion.csv")
DATA += ("per_genre.csv", "roc.csv", "reliability.csv")


def test_each_runner_builds_everything_only_once(toy) -> None:
    toy.with_git()
    toy.snakemake("--cores", "4")
    assert toy.ran() == MATRIX
    toy.dvc("exp", "run")
    assert toy.ran() == EXPERIMENT
    toy.snakemake("--cores", "4")
    toy.dvc("exp", "run")
    toy.dvc("repro")
    assert toy.ran() == Counter()


def test_both_runners_give_the_same_bytes(built) -> None:
    experiment = built.folder / "experiment"
    of_one = [
        *(built.folder / "data/synthetic").glob("*.*"),
        *(built.folder / "data/synthetic/mel").glob("*.*"),
        *(built.folder / "data/synthetic/mel/stratified_8_1_1/42").glob("*.*"),
        *(built.folder / "results/synthetic/mel/crnn/stratified_8_1_1/42").glob("*.*"),
    ]
    names = {path.name for path in of_one}
    assert names >= set(DATA)
    assert {
        path.name for path in of_one if path.read_bytes() != (experiment / path.name).read_bytes()
    } == set()


def test_going_back_to_earlier_parameters_runs_nothing(unchanged) -> None:
    unchanged.set("slices.overlap=0.25")
    unchanged.snakemake("--cores", "4")
    unchanged.dvc("repro")
    assert unchanged.ran() == (MATRIX + EXPERIMENT) - Counter(download=2, spectrograms=3)
    unchanged.set("slices.overlap=0.5")
    unchanged.snakemake("--cores", "4")
    unchanged.dvc("repro")
    assert unchanged.ran() == Counter()
    unchanged.set("slices.overlap=0.25")
    unchanged.snakemake("--cores", "4")
    unchanged.dvc("repro")
    assert unchanged.ran() == Counter()
    unchanged.set("slices.overlap=0.5")
    unchanged.snakemake("--cores", "4")
    unchanged.dvc("repro")


def test_another_model_by_dvc_leaves_snakemake_alone(unchanged) -> None:
    unchanged.dvc("exp", "run", "-S", "model=svm_rbf")
    assert unchanged.ran() == Counter(embed=1, train=1, evaluate=1, report=1)
    unchanged.snakemake("--cores", "4")
    assert unchanged.ran() == Counter()
    unchanged.dvc("exp", "run", "-S", "model=crnn")
    assert unchanged.ran() == Counter()


def test_seeds_do_not_share_results(unchanged) -> None:
    """Snakemake's cache knows a result by its parameters: the seed must be one of them."""
    unchanged.set("matrix.seed=[42, 43]")
    unchanged.snakemake("--cores", "4")
    assert unchanged.ran() == Counter(split=2, embed=4, train=4, evaluate=4, report=1)
    splits = unchanged.folder.glob("data/synthetic/*/stratified_8_1_1/*/split.parquet")
    assert len({path.read_bytes() for path in splits}) == 4


def test_a_changed_user_file_is_read_again(toy) -> None:
    """A folder of music is known by sizes and dates: the cache never restores an old state."""
    music = toy.folder.parent / "music"
    music.mkdir()
    (music / "a.wav").write_bytes(b"one")
    toy.set("dataset=folder", "matrix.dataset=[folder]", f"datasets.folder.path={music}")
    toy.snakemake("--cores", "4")
    toy.ran()
    (music / "b.wav").write_bytes(b"two")
    toy.snakemake("--cores", "4")
    assert toy.ran() == MATRIX


def test_results_survive_while_the_cache_does_and_are_rebuilt_after_it(toy) -> None:
    toy.snakemake("--cores", "4")
    shutil.rmtree(toy.folder / "results")
    toy.ran()
    toy.snakemake("--cores", "4")
    assert toy.ran() == Counter()
    shutil.rmtree(toy.folder / ".cache")
    toy.snakemake("--cores", "4")
    assert toy.ran() == MATRIX


@pytest.mark.parametrize("runner", [("snakemake", "--cores", "2"), ("dvc", "repro")])
def test_a_killed_run_heals_by_running_again(toy, runner) -> None:
    """Runner and job are killed during training; no unlocking is needed, no finished stage repeated."""
    toy.with_git()
    script = toy.folder / "workflow/scripts/train.py"
    whole = script.read_text(encoding="utf-8")
    killer = "import os, signal\n\nos.killpg(0, signal.SIGKILL)\n"
    toy.edit("workflow/scripts/train.py", "if __name__", f"{killer}\nif __name__")
    command = [sys.executable, "-m", *runner]
    done = subprocess.run(
        command,
        cwd=toy.folder,
        env=toy.environment(),
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert toy.ran()["train"] == 0
    script.write_text(whole, encoding="utf-8")
    getattr(toy, runner[0])(*runner[1:])
    assert not set(toy.ran()) & {"download", "spectrograms"}
    assert toy.ran() == Counter()


def test_a_job_that_the_system_kills_is_explained(toy) -> None:
    killer = "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)\n"
    toy.edit("workflow/scripts/train.py", "if __name__", f"{killer}\nif __name__")
    done = toy.snakemake("--cores", "1", check=False)
    told = [line for line in done.stderr.splitlines() if "this job was killed" in line]
    assert done.returncode == 1
    assert len(told) == 1 and told[0].startswith("genredag: error: ")


def test_a_folder_that_cannot_be_written_to_is_named_before_any_job(toy) -> None:
    (toy.folder / "logs").touch()
    done = toy.snakemake("--cores", "1", check=False)
    assert done.returncode == 2
    assert f"genredag: error: {toy.folder / 'logs'}: Not a directory. Hint:" in done.stderr
    assert toy.ran() == Counter()


def test_config_overrides_are_refused(toy) -> None:
    done = toy.snakemake("--dry-run", "--config", "seed=1", check=False)
    assert done.returncode == 2
    assert "genredag: error: params.yaml: --config or --configfile changes seed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("typo", ["overlp", "learning_rat", "titel"])
def test_a_typo_is_refused_before_any_job(unchanged, typo) -> None:
    right = {"overlp": "overlap", "learning_rat": "learning_rate", "titel": "title"}[typo]
    path = unchanged.folder / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(f"{right}:", f"{typo}:"), encoding="utf-8")
    snakemake = unchanged.snakemake("--cores", "4", check=False)
    dvc = unchanged.dvc("repro", check=False)
    assert snakemake.returncode == 2
    assert dvc.returncode != 0
    assert unchanged.ran() == Counter()
    for done in (snakemake, dvc):
        told = [line for line in done.stderr.splitlines() + done.stdout.splitlines() if typo in line]
        assert any(line.startswith("genredag: error: params.yaml: ") for line in told)


EDITED = ["errors.py", "frames/slices.py", "splits/split.py", "evaluation/metrics.py"]


@pytest.mark.parametrize("module", EDITED)
def test_editing_a_module_reruns_the_stages_that_use_it(unchanged, module) -> None:
    path = unchanged.folder / "src/genredag" / module
    importers = {
        stage
        for stage in STAGES
        if path in stage_code(unchanged.folder / SCRIPTS, unchanged.folder / "src", stage)
    }
    stages = read_stages(unchanged.folder / "dvc.yaml")
    declarers = {
        s for s in STAGES if any(path.is_relative_to(unchanged.folder / d) for d in stages[s]["deps"])
    }
    path.write_text(path.read_text(encoding="utf-8") + "\nEDITED = 1\n", encoding="utf-8")
    unchanged.dvc("repro")
    # The toys' outputs stay the same, so DVC stops where Snakemake goes on to what comes after.
    assert set(unchanged.ran()) == declarers >= importers
    assert importers <= asked(unchanged)


def test_a_comment_and_a_docstring_rerun_nothing_in_snakemake(unchanged) -> None:
    unchanged.snakemake("--cores", "4")  # the report may be that of the test before
    assert asked(unchanged) == set()
    path = unchanged.folder / "src/genredag/errors.py"
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""Errors that users can correct.')
    edited = text.replace('"""Errors', '"""Edited. Errors', 1) + "\n# An edit.\n"
    path.write_text(edited, encoding="utf-8")
    assert asked(unchanged) == set()


def asked(place) -> set[str]:
    """Return the stages that Snakemake would run."""
    printed = place.snakemake("--dry-run", "--cores", "1")
    counted = re.findall(r"^(\w+) +\d+$", printed.stdout + printed.stderr, flags=re.MULTILINE)
    return set(STAGES) & set(counted)
