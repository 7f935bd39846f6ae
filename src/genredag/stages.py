"""The stages as ``dvc.yaml`` declares them: their code, their commands, the order of the story."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from genredag.errors import ParameterError

STAGES = ("download", "spectrograms", "slices", "split", "train", "evaluate", "report")


def read_stages(path: Path) -> dict[str, dict[str, Any]]:
    """Read the stages of a ``dvc.yaml``."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))["stages"]


def declared_code(path: Path) -> dict[str, list[str]]:
    """Return the code files of each stage in a ``dvc.yaml``, its script first."""
    code = {}
    for name, stage in read_stages(path).items():
        script = f"workflow/scripts/{name}.py"
        code[name] = [script, *(dep for dep in stage["deps"] if _is_code(dep) and dep != script)]
    return code


def refuse_overrides(config: dict[str, Any], path: Path) -> None:
    """Refuse values that came by ``--config`` or ``--configfile``: the scripts would not see them.

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


def _is_code(dependency: str) -> bool:
    return dependency.startswith(("workflow/scripts/", "src/"))
