"""The stages in the two runners: what ``dvc.yaml`` declares, and the code that each script runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from genredag.datasets import MODULE_NAMES
from genredag.errors import ParameterError
from genredag.models.registry import PUBLISHED, family_modules, learners
from genredag.params.groups.reading import read_tree
from genredag.runtime.closure import Import, code_fingerprint, import_closure, unused_imports
from genredag.spectrograms.registry import ONNX_ENCODER, REPRESENTATIONS

SCRIPTS = Path("workflow/scripts")
# Snakemake plans many more jobs slowly, and a command that names many more files is too long for the system.
MOST_SHARDS = 500
OWN_ENCODER = "kind: onnx"  # instead of the name that the user gave it


def read_stages(path: Path) -> dict[str, dict[str, Any]]:
    """Read the stages of a ``dvc.yaml``."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))["stages"]


def read_commands(path: Path) -> dict[str, str]:
    """Return the script command of each stage of a ``dvc.yaml``, with the script's path from its folder."""
    scripts = (Path(path).parent / SCRIPTS).as_posix()
    return {
        name: script_command(stage).replace(f"{SCRIPTS.as_posix()}/", f"{scripts}/", 1)
        for name, stage in read_stages(path).items()
    }


def script_command(stage: Mapping[str, Any]) -> str:
    """Return the part of a stage's command that runs its script, after `genredag validate`."""
    return stage["cmd"].split(" && ")[-1]


def is_code(dependency: str) -> bool:
    """Return whether an entry of `deps` in ``dvc.yaml`` is code rather than data."""
    return dependency.startswith((f"{SCRIPTS.as_posix()}/", "src/"))


def stage_code(scripts: Path, source_dir: Path, stage: str, **choice: str) -> list[Path]:
    """Return the script of a stage, followed by the files that it imports.

    Parameters
    ----------
    scripts, source_dir
        The folder of the scripts, and the one that holds the package.
    choice
        The dataset, representation and model of the job; modules of other ones are excluded.
    """
    script = scripts / f"{stage}.py"
    unused: set[Import] = set()
    for _, registry, modules, chosen in _registries(choice):
        unused |= unused_imports(registry, modules.values(), modules[chosen], source_dir)
    return [script, *import_closure(script, source_dir, unused)]


def code_state(scripts: Path, source_dir: Path, stage: str, **choice: str) -> str:
    """Return a fingerprint of the code of a stage, whatever its location; see `stage_code`."""
    return code_fingerprint(stage_code(scripts, source_dir, stage, **choice), scripts, source_dir)


def same_code(**choice: str) -> dict[str, str]:
    """Return a choice that runs the same code: of the members that share a module, the first."""
    return {
        key: next(name for name, module in modules.items() if module == modules[chosen])
        for key, _, modules, chosen in _registries(choice)
    }


def _registries(choice: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Yield what `choice` selects, from which registry, the module of each member, and the member chosen."""
    if "dataset" in choice:
        yield "dataset", "genredag.datasets.registry", MODULE_NAMES, choice["dataset"]
    if "representation" in choice:
        modules = {name: one.transform.__module__ for name, one in REPRESENTATIONS.items()}
        modules[OWN_ENCODER] = ONNX_ENCODER.transform.__module__
        chosen = choice["representation"]
        chosen = chosen if chosen in modules else OWN_ENCODER
        yield "representation", "genredag.spectrograms.registry", modules, chosen
    if "model" in choice:
        modules = {name: known.module for name, known in learners().items()}
        modules |= {module: module for module in family_modules()}  # one may have no learner yet
        yield "model", "genredag.models.registry", modules, choice["model"].removesuffix(PUBLISHED)


def take_shards(config: dict[str, Any]) -> int:
    """Remove the number of shards, which changes no result, from Snakemake's `config`, and return it.

    Raises
    ------
    ParameterError
        It is no number, or out of range.
    """
    shards = config.pop("shards", 1)
    if type(shards) is not int or not 1 <= shards <= MOST_SHARDS:
        raise ParameterError(
            f"shards={'' if shards is None else shards}",
            where="--config",
            expected=f"a whole number from 1 to {MOST_SHARDS}",
            hint="snakemake --config shards=16",
        )
    return shards


def settle_config(config: dict[str, Any], path: Path) -> None:
    """Give Snakemake's `config` the values that the scripts read from the file at `path`.

    Snakemake reads YAML 1.1, in which ``1e-3`` is text. Values from ``--config`` or another file are
    rejected, because the scripts would not see them.

    Raises
    ------
    ParameterError
        `config` differs from the file at `path`.
    """
    written = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    changed = sorted(key for key in {*config, *written} if config.get(key) != written.get(key))
    if changed:
        raise ParameterError(
            f"--config or --configfile changes {', '.join(changed)}, which the scripts would not see",
            where=str(path),
            hint=f"genredag set {changed[0]}=VALUE writes a checked value into {path}",
        )
    config.update(read_tree(path))
