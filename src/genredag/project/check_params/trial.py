"""Two models on a small data set, before and after a change: several seeds, two processes in parallel."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from genredag.params.stages import STAGES
from genredag.params.tree import Leaf, Tree
from genredag.project.check_params.plan import Plan, choice_of, write_tree
from genredag.project.check_params.runners import outputs
from genredag.project.check_params.workplace import Workplace
from genredag.project.stages import read_stages, script_command

if TYPE_CHECKING:
    import pandas as pd

PROGRAM = Path(__file__).with_name("run_stages.py")
SEEDS = (1, 2, 3)
# Learns on little data in a second, so that it shows whether the data are still as good.
CHEAP_MODEL = "svm_rbf"
# Networks learn to tell these genres apart within the time.
EASY_GENRES = ("classical", "disco", "jazz", "metal")
# A model repeats its training with further seeds for this long, in seconds of processor time.
SECONDS = 90
FOLDER = "trial"
OF_ALL, OF_SEED = STAGES[:3], STAGES[3:4]
# Scored by track, on validation tracks too if training did not watch them.
TRACKS = "track_predictions.parquet"

Run = tuple[str, int]


@dataclass(frozen=True)
class Trial:
    """Predictions for tracks by model and seed."""

    tracks: dict[Run, pd.DataFrame]


def choose(plan: Plan, tree: Tree) -> dict[str, str] | None:
    """Return the experiment to try: the one in the file if the change affects it, else another one."""
    choice = choice_of(tree)
    affected = [job.wildcards for job in plan.jobs if job.wildcards]
    if plan.reached or any(wildcards.items() <= choice.items() for wildcards in affected):
        return choice
    return {**choice, **max(affected, key=lambda wildcards: len(dict(wildcards)))} if affected else None


def models_to_try(tree: Tree, choice: dict[str, str], touched: Iterable[Leaf]) -> list[str]:
    """Return the model of the experiment, after the cheap one if the change may also affect that."""
    model, groups = choice["model"], {leaf[:2] for leaf in touched}
    alone = model == CHEAP_MODEL or CHEAP_MODEL not in tree["models"] or groups == {("models", model)}
    return [model] if alone else [CHEAP_MODEL, model]


def run_trials(
    places: Iterable[Workplace], trees: Iterable[Tree], models: list[str]
) -> Iterator[Trial | Exception]:
    """Try `models` in several workplaces in parallel; a failure is returned, not raised."""
    pairs = list(zip(places, trees, strict=True))
    _render_music(*pairs[0])
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(run_trial, *pair, models) for pair in pairs]
    for run in runs:
        error = run.exception()
        yield error if isinstance(error, Exception) else run.result()


def _render_music(place: Workplace, tree: Tree) -> None:
    """Render the music of the small data set on all cores into the cache that both sides share."""
    write_tree(place.folder / "params.yaml", tree)
    (command,) = _commands(place.folder, tree, "", STAGES[:1])
    jobs = ("--jobs", str(os.cpu_count() or 1))
    # Each side obtains its data set itself, and reports what is wrong.
    place.run(sys.executable, *command, *jobs, check=False, GENREDAG_CACHE=_cache(place))


def _cache(place: Workplace) -> str:
    return str(place.folder.parent / "cache")


def run_trial(place: Workplace, tree: Tree, models: list[str]) -> Trial:
    """Run the stages of the experiment of `tree`, for each model and seed.

    Raises
    ------
    RunnerError
        A stage failed.
    """
    write_tree(place.folder / "params.yaml", tree)
    plan = place.folder / FOLDER / "plan.json"
    plan.parent.mkdir(exist_ok=True)
    plan.write_text(json.dumps(trial_plan(place.folder, tree, models)), encoding="utf-8")
    place.run(sys.executable, "-P", str(PROGRAM), str(plan), GENREDAG_CACHE=_cache(place))
    return Trial(dict(_read_tracks(place.folder / FOLDER, models)))


def trial_plan(project: Path, tree: Tree, models: list[str]) -> dict[str, Any]:
    """Return what `run_stages.py` has to run: commands once, per seed, and per seed and model."""
    seeds = [
        {
            "commands": _commands(project, tree | {"seed": seed}, "", OF_SEED),
            "folder": f"{FOLDER}/{seed}",
            "models": {
                model: _commands(project, tree | {"seed": seed, "model": model}, model, STAGES[4:-1])
                for model in models
            },
        }
        for seed in SEEDS
    ]
    filtered = [model for model in models if tree["models"][model]["kind"] != "estimator"]
    common = _commands(project, tree, "", OF_ALL)
    easy = {"models": filtered, "genres": EASY_GENRES}
    return {"commands": common, "seeds": seeds, "easy": easy, "seconds": SECONDS}


def _commands(project: Path, tree: Tree, model: str, names: Iterable[str]) -> list[list[str]]:
    """Return the commands of stages in ``dvc.yaml``, with their files in the folder of the trial."""
    stages = read_stages(project / "dvc.yaml")
    seed = tree["seed"]
    folders = dict.fromkeys(OF_ALL, FOLDER) | dict.fromkeys(OF_SEED, f"{FOLDER}/{seed}")
    places = {
        file: f"{folders.get(name, f'{FOLDER}/{seed}/{model}')}/{Path(file).name}"
        for name, stage in stages.items()
        for file in outputs(stage)
    }
    network = model and tree["models"][model]["kind"] != "estimator"
    for name in ("slices.parquet", "split.parquet") if network else ():
        places[f"experiment/{name}"] = f"{FOLDER}/{seed}/easy/{name}"
    found = []
    for name in names:
        words = shlex.split(Template(script_command(stages[name])).substitute(tree))
        found.append([places.get(word, word) for word in words[1:]])
    return found


def _read_tracks(folder: Path, models: list[str]) -> Iterator[tuple[Run, pd.DataFrame]]:
    import pandas as pd

    for model in models:
        for seed in SEEDS:
            file = folder / str(seed) / model / TRACKS
            if file.is_file():
                yield (model, seed), pd.read_parquet(file)
