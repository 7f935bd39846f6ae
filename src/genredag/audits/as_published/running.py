"""Run a study's experiment stage by stage in its own folder, with the commands of ``dvc.yaml``."""

from __future__ import annotations

import logging
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal

import pandas as pd

from genredag.audits.as_published.studies import OWN_STAGES, LeftOutError
from genredag.errors import (
    EXIT_UNSUITABLE,
    EXIT_USER_ERROR,
    GenredagError,
    reported_error,
    without_remedy,
)
from genredag.params.tree import Tree
from genredag.runtime.files import write_parquet

logger = logging.getLogger(__name__)


def commands(scripts: Mapping[str, str], tree: Tree, folder: Path) -> dict[str, list[str]]:
    """Return the commands of the stages between download and report, with paths in `folder`.

    Parameters
    ----------
    scripts
        The commands that `genredag.project.stages.read_commands` returned. Their paths in ``experiment/``
        are replaced by paths in `folder`.
    tree
        The experiment's parameters. ``params.yaml`` in `folder` holds the same values.
    """
    found = {}
    for name in OWN_STAGES:
        words = shlex.split(Template(scripts[name]).substitute(tree))
        words[0] = sys.executable
        found[name] = [_placed(word, folder) for word in words]
    return found


def _placed(word: str, folder: Path) -> str:
    if word == "params.yaml":
        return str(folder / word)
    return str(folder / word.removeprefix("experiment/")) if word.startswith("experiment/") else word


def run_stages(
    todo: Mapping[str, list[str]], project: Path, folder: Path, watch: Literal["validation", "test", "train"]
) -> pd.DataFrame:
    """Run the commands in order and return the predictions.

    Raises
    ------
    LeftOutError
        A stage ends with `EXIT_UNSUITABLE`. The data set has no artists, no listed split, too few tracks of
        a genre, or slices that are too small for the model.
    GenredagError
        A stage fails for any other reason.
    """
    for stage, command in todo.items():
        logger.info("%s: %s", folder.name, stage)
        done = subprocess.run(command, cwd=project, stderr=subprocess.PIPE, text=True, check=False)
        sys.stderr.write(done.stderr)
        if done.returncode:
            raise _failure(stage, done.returncode, reported_error(done.stderr), folder)
        if stage == "split" and watch != "validation":
            slices, split = (pd.read_parquet(folder / f"{name}.parquet") for name in ("slices", "split"))
            for name, table in zip(("slices", "split"), watching(slices, split, watch), strict=True):
                write_parquet(folder / f"{name}.parquet", table)
    return pd.read_parquet(folder / "predictions.parquet")


def _failure(stage: str, status: int, error: str, folder: Path) -> GenredagError:
    """Return the exception for a stage that ended with `status`; `error` is its message, or ""."""
    if status == EXIT_UNSUITABLE and error:
        # The expectation and the hint may name folders on this machine. The log has them; the table must not.
        return LeftOutError(f"{stage}: {without_remedy(error)}")
    if status == EXIT_USER_ERROR and error:
        return GenredagError(error, where=stage)
    return GenredagError(f"{stage} failed ({status})", where=str(folder))


def watching(
    slices: pd.DataFrame, split: pd.DataFrame, part: Literal["test", "train"]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return slices and split for a project that has no validation part and monitors `part` instead.

    Our validation slices join the training part, and copies of the slices of `part` serve as the validation
    part. ``"test"`` is LEAKY: the epoch with the best result on the test part is kept.

    Parameters
    ----------
    slices, split
        Rows in the same order.
    """
    split = split.assign(part=split["part"].replace("validation", "train"))
    copied = (split["part"] == part).to_numpy()
    watched = split[copied].assign(part="validation")
    return (
        pd.concat([slices, slices[copied]], ignore_index=True),
        pd.concat([split, watched], ignore_index=True),
    )
