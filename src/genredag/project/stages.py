"""The stages as the runners know them: what ``dvc.yaml`` declares, and the code behind each script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from genredag.datasets import MODULE_NAMES
from genredag.errors import ParameterError
from genredag.models.registry import PUBLISHED, learners
from genredag.runtime.closure import Import, code_fingerprint, import_closure, unused_imports
from genredag.spectrograms.registry import REPRESENTATIONS

SCRIPTS = Path("workflow/scripts")


def read_stages(path: Path) -> dict[str, dict[str, Any]]:
    """Read the stages of a ``dvc.yaml``."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))["stages"]


def read_commands(path: Path) -> dict[str, str]:
    """Return the command by which each stage of a ``dvc.yaml`` runs its script, found from its folder."""
    scripts = (Path(path).parent / SCRIPTS).as_posix()
    return {
        name: script_command(stage).replace(f"{SCRIPTS.as_posix()}/", f"{scripts}/", 1)
        for name, stage in read_stages(path).items()
    }


def script_command(stage: Mapping[str, Any]) -> str:
    """Return what of a stage's command runs its script: `genredag validate` comes before."""
    return stage["cmd"].split(" && ")[-1]


def is_code(dependency: str) -> bool:
    """Tell code from data among the `deps` of ``dvc.yaml``."""
    return dependency.startswith((f"{SCRIPTS.as_posix()}/", "src/"))


def stage_code(scripts: Path, source_dir: Path, stage: str, **choice: str) -> list[Path]:
    """Return the files that the script of a stage runs, itself first.

    Parameters
    ----------
    scripts, source_dir
        The folder of the scripts, and the one that holds the package.
    choice
        The dataset, representation and model that it runs for: modules of others don't count.
    """
    script = scripts / f"{stage}.py"
    unused: set[Import] = set()
    for registry, modules, chosen in _registries(choice):
        unused |= unused_imports(registry, modules.values(), modules[chosen], source_dir)
    return [script, *import_closure(script, source_dir, unused)]


def code_state(scripts: Path, source_dir: Path, stage: str, **choice: str) -> str:
    """Return a fingerprint of what the code of a stage does, wherever it lies; see `stage_code`."""
    return code_fingerprint(stage_code(scripts, source_dir, stage, **choice), scripts, source_dir)


def _registries(choice: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield each registry that `choice` chooses from, the module of each of its members, and the choice."""
    if "dataset" in choice:
        yield "genredag.datasets.registry", MODULE_NAMES, choice["dataset"]
    if "representation" in choice:
        modules = {name: known.transform.__module__ for name, known in REPRESENTATIONS.items()}
        yield "genredag.spectrograms.registry", modules, choice["representation"]
    if "model" in choice:
        modules = {name: known.module for name, known in learners().items()}
        yield "genredag.models.registry", modules, choice["model"].removesuffix(PUBLISHED)


def refuse_overrides(config: dict[str, Any], path: Path) -> None:
    """Refuse values that came by ``--config`` or another file: the scripts would not see them.

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
