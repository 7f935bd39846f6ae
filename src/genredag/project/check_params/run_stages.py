"""Run scripts of stages one after the other in one process, which imports Keras only once.

Usage: ``python run_stages.py PLAN.json``, with a plan of `genredag.project.check_params.trial`.

It imports nothing from genredag, so that it also works for a project with another version of the code.
"""

from __future__ import annotations

import json
import runpy
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd


def main(plan: dict[str, Any]) -> None:
    """Run the commands of a plan; a model that takes long is not repeated with every seed."""
    run(plan["commands"])
    taken = dict.fromkeys(plan["seeds"][0]["models"], 0.0)
    for n_done, seed in enumerate(plan["seeds"]):
        run(seed["commands"])
        if plan["easy"]["models"]:
            keep_genres(Path(seed["folder"]), plan["easy"]["genres"])
        for model, commands in seed["models"].items():
            if n_done and taken[model] * (n_done + 1) / n_done > plan["seconds"]:
                continue
            start = time.process_time()  # of this process: other work on the machine must not count
            run(commands)
            taken[model] += time.process_time() - start


def run(commands: list[list[str]]) -> None:
    """Run commands, each a script and its arguments."""
    for script, *arguments in commands:
        runpy.run_path(script, run_name="stage")["main"](arguments)


def keep_genres(folder: Path, genres: list[str]) -> None:
    """Write the slices and the split of some genres into the folder `easy`."""
    split = pd.read_parquet(folder / "split.parquet")
    kept = split["genre"].isin(genres).to_numpy()
    easy = folder / "easy"
    easy.mkdir(exist_ok=True)
    split[kept].reset_index(drop=True).to_parquet(easy / "split.parquet")
    slices = pd.read_parquet(folder.parent / "slices.parquet")
    slices[kept].reset_index(drop=True).to_parquet(easy / "slices.parquet")
    shutil.copyfile(folder.parent / "slices.json", easy / "slices.json")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
