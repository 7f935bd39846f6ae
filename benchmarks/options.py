"""Representations and options that no default experiment uses, each trained once: one table of results.

Each trial changes values of params.yaml in a copy of the project and builds a leaderboard there, with
Snakemake, on one core. The column `values` has what an entry changed. The tables are adopted as any
other results:

    python benchmarks/options.py --audio FOLDER --workplace /tmp/options --output results
    genredag generate --results results --name gtzan_options

A trial that the output folder has is not run again. `--only` runs some of them.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genredag.project.check_params.workplace import copy_project
from genredag.project.editing import set_values
from genredag.runtime.logs import configure_logging

ROOT = Path(__file__).resolve().parents[1]
logger = logging.getLogger("options")


@dataclass(frozen=True)
class Trial:
    """Experiments that are built together: every pair of a representation and a model that fits it."""

    representations: str
    models: str
    values: tuple[str, ...] = ()
    split: str = "stratified_7_3"

    def values_of(self, row: pd.Series) -> str:
        """Return the values that one entry uses, without those of other models."""
        own = [f"models.{row['model']}.", f"representations.{row['representation']}.", "slices."]
        return ", ".join(value.replace(own[0], "") for value in self.values if value.startswith(tuple(own)))


# Few frames a slice and few epochs, because homebrew is slow.
COARSE = (
    *("representations.mel.hop_length=4096", "representations.mel.n_fft=4096"),
    *("models.homebrew.epochs=4", "models.homebrew_deeper.epochs=4"),
)
SHORT = ("models.time.epochs=20", "models.frequency.epochs=20", "models.black_box.epochs=4")
# As in the study of gtzan.keras (2020), whose README calls one split five folds.
WHOLE_CLIPS = (
    "slices.seconds=29.9",
    *("representations.handcrafted.n_fft=1024", "representations.handcrafted.n_mfcc=13"),
)
TRIALS = {
    "svm": Trial("mfcc, chroma_stft, chroma_cqt, chroma_cens, stack", "svm_rbf"),
    "networks": Trial("mfcc, chroma_cens, chroma_stft, chroma_cqt", "cnn_370k, lstm_windows"),
    # Whether six epochs are too few for it.
    "longer": Trial("chroma_stft", "cnn_370k", ("models.cnn_370k.epochs=30", "models.cnn_370k.patience=10")),
    "mfcc_2layers": Trial("mfcc", "cnn_2layers"),
    "cnn_2layers": Trial("chroma_cqt, stack", "cnn_2layers"),
    "power": Trial("mel", "cnn_370k, lstm_windows, svm_rbf", ("representations.mel.scale=power",)),
    "kernel_linear": Trial("mel, handcrafted", "svm_rbf", ("models.svm_rbf.options.kernel=linear",)),
    "kernel_sigmoid": Trial("mel, handcrafted", "svm_rbf", ("models.svm_rbf.options.kernel=sigmoid",)),
    "defaults": Trial("mel", "time, frequency, lstm_windows, squeezenet_frozen, black_box", SHORT),
    "options": Trial(
        "mel",
        "time, frequency, lstm_windows, squeezenet_frozen",
        (
            *SHORT,
            "models.time.options.output=sigmoid",
            "models.frequency.options.output=sigmoid",
            "models.squeezenet_frozen.backbone.size=[192, 192]",
            "models.lstm_windows.augment=[{kind: noise, std: 3.0}]",
        ),
    ),
    "small_pictures": Trial("mel", "squeezenet_frozen", ("models.squeezenet_frozen.backbone.size=[96, 96]",)),
    # The pictures of Intelligent-Systems-MSc's script.
    "sizes": Trial(
        "mel",
        "time, cnn_3layers",
        (
            *("models.time.size=[120, 200]", "models.cnn_3layers.size=[120, 200]"),
            *("models.time.epochs=20", "models.cnn_3layers.epochs=8"),
        ),
    ),
    "chroma_time": Trial("chroma_cqt", "time", SHORT),
    "chroma_sigmoid": Trial("chroma_cqt", "time", (*SHORT, "models.time.options.output=sigmoid")),
    "kfold": Trial("handcrafted", "logistic_regression, svm_rbf", split="kfold_5"),
    "kfold_clips": Trial(
        "handcrafted",
        "decision_tree_published, logistic_regression_published, elastic_net_published, svm_rbf_published",
        WHOLE_CLIPS,
        split="kfold_5",
    ),
    "homebrew": Trial("mel", "homebrew, homebrew_deeper", COARSE),
    "homebrew_182": Trial("mel", "homebrew", (*COARSE, "models.homebrew.options.units=182")),
}


def run(trial: Trial, project: Path, audio: Path) -> pd.DataFrame:
    """Build the leaderboard of a trial in a copy of the project."""
    shutil.copyfile(ROOT / "params.yaml", project / "params.yaml")
    matrix = {"representation": trial.representations, "model": trial.models, "split": trial.split}
    lists = [f"matrix.{key}=[{names}]" for key, names in matrix.items()]
    music = ["matrix.dataset=[gtzan]", f"datasets.gtzan.path={audio.resolve()}"]
    set_values(project / "params.yaml", [*lists, *music, *trial.values])
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going", "results/report.html"]
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    subprocess.run([*command, "results/leaderboard.csv"], cwd=project, env=environment, check=True)
    table = pd.read_csv(project / "results" / "leaderboard.csv")
    return table.assign(values=table.apply(trial.values_of, axis=1))


def joined(folder: Path, names: Sequence[str]) -> pd.DataFrame:
    """Join the tables of all trials; an entry that two trials built alike is there once."""
    tables = [
        pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values={"n_parameters": ""})
        for name in names
        if (folder / f"{name}.csv").is_file()
    ]
    same = ["dataset", "representation", "model", "split", "values"]
    table = pd.concat(tables, ignore_index=True).drop_duplicates(same)
    return table.astype({"n_parameters": "Int64"})


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audio", type=Path, required=True, help="folder of GTZAN's tracks")
    parser.add_argument("--workplace", type=Path, required=True, help="folder for a copy of the project")
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS))
    args = parser.parse_args(argv)
    configure_logging()
    if not args.workplace.exists():
        copy_project(ROOT, args.workplace)
    args.output.mkdir(parents=True, exist_ok=True)
    for name in args.only:
        file = args.output / f"{name}.csv"
        if not file.is_file():
            table = run(TRIALS[name], args.workplace, args.audio)
            table.to_csv(file, index=False)
            shutil.copyfile(args.workplace / "results" / "report.html", args.output / f"{name}.html")
    joined(args.output, list(TRIALS)).to_csv(args.output / "leaderboard.csv", index=False)


if __name__ == "__main__":
    main()
