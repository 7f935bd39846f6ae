"""A study's one experiment, run stage by stage with the commands of ``dvc.yaml``, in a folder of its own."""

from __future__ import annotations

import logging
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal

import pandas as pd

from genredag.audits.as_published.studies import OWN_STAGES, LeftOutError
from genredag.errors import EXIT_USER_ERROR, GenredagError
from genredag.params.tree import Tree
from genredag.runtime.files import write_parquet

logger = logging.getLogger(__name__)

MISTAKE = "genredag: error: "
# What follows the reason may name folders of this machine, which a table must not; the log has it.
REMEDY = re.compile(r"; expected |\. Hint: ")
# How stages begin to say that a data set can't have a study's slices or split, or a model its slices.
# Whatever else they refuse is a mistake to mend, and no reason to leave a study out.
_TOO_SMALL = re.compile(r"\w+: (slices|pictures) of .* are too small")
LACKS = {
    "slices": re.compile(r"slices: all \d+ tracks are shorter"),
    "split": re.compile(
        r"manifest: (no artist is known|the data set lists no track for )"
        r"|split: genre .+ (has too few (tracks|artists): |shares too many artists |is missing in )"
    ),
    "embed": _TOO_SMALL,
    "train": _TOO_SMALL,
}


def commands(scripts: Mapping[str, str], tree: Tree, folder: Path) -> dict[str, list[str]]:
    """Return the command of each stage between download and report, `folder` in place of ``experiment``.

    Parameters
    ----------
    scripts
        As `genredag.project.stages.read_commands` gives them.
    tree
        The experiment's parameters, which lie in ``params.yaml`` of `folder`.
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
        A stage says what `LACKS` knows: no artist is known, no part is listed, slices are too small.
    GenredagError
        A stage refuses anything else, or fails for no reason that it knows.
    """
    for stage, command in todo.items():
        logger.info("%s: %s", folder.name, stage)
        done = subprocess.run(command, cwd=project, stderr=subprocess.PIPE, text=True, check=False)
        sys.stderr.write(done.stderr)
        told = [line for line in done.stderr.splitlines() if line.startswith(MISTAKE)]
        if done.returncode == EXIT_USER_ERROR and told:
            raise _refusal(stage, told[-1].removeprefix(MISTAKE))
        if done.returncode:
            raise GenredagError(f"{stage} failed ({done.returncode})", where=str(folder))
        if stage == "split" and watch != "validation":
            slices, split = (pd.read_parquet(folder / f"{name}.parquet") for name in ("slices", "split"))
            for name, table in zip(("slices", "split"), watching(slices, split, watch), strict=True):
                write_parquet(folder / f"{name}.parquet", table)
    return pd.read_parquet(folder / "predictions.parquet")


def _refusal(stage: str, told: str) -> GenredagError:
    """Return the error of a stage that refuses: that the study is left out, or what it told."""
    if stage in LACKS and LACKS[stage].match(told):
        return LeftOutError(f"{stage}: {REMEDY.split(told)[0]}")
    return GenredagError(told, where=stage)


def watching(
    slices: pd.DataFrame, split: pd.DataFrame, part: Literal["test", "train"]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return slices and split of a project without a validation part, whose training watched `part` instead.

    Our validation slices train, and copies of the slices of `part` stand for validation. With ``"test"``
    this is LEAKY: the epoch that is kept is the best one on the test part.

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
