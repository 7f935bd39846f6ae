"""The stages as ``dvc.yaml`` declares them: their code, their commands, the order of the story."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from genredag.closure import import_closure
from genredag.errors import ParameterError
from genredag.params import Params

STAGES = ("download", "spectrograms", "slices", "split", "embed", "train", "evaluate", "report")
# Rules beside the DAG: nothing of theirs is built unless asked for, and DVC has no such stage.
EXTRAS = ("audit_split", "leakage_audit", "run_study", "as_published", "predict_deformed", "robustness")


def read_stages(path: Path) -> dict[str, dict[str, Any]]:
    """Read the stages of a ``dvc.yaml``."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))["stages"]


def declared_code(path: Path) -> dict[str, list[str]]:
    """Return the code files of each stage in a ``dvc.yaml``, its script first."""
    code = {}
    for name, stage in read_stages(path).items():
        script = f"workflow/scripts/{name}.py"
        code[name] = [script, *(dep for dep in stage["deps"] if is_code(dep) and dep != script)]
    return code


def code_state(path: Path, stage: str) -> str:
    """Return a fingerprint of the code that the ``dvc.yaml`` at `path` declares for a stage.

    Raises
    ------
    ParameterError
        A file that it declares is gone.
    """
    project, files = Path(path).parent, declared_code(path)[stage]
    for file in files:
        if not (project / file).is_file():
            hint = "genredag generate, after a module was renamed or removed"
            raise ParameterError(f"{file} is declared and not there", where=str(path), hint=hint)
    return _fingerprint(project, files)


def extra_code_state(project: Path, extra: str) -> str:
    """Return a fingerprint of the code that the script of a rule beside the DAG imports."""
    script = Path(project) / "workflow" / "scripts" / f"{extra}.py"
    files = [script, *import_closure(script, Path(project) / "src")]
    return _fingerprint(Path(project), [file.relative_to(project).as_posix() for file in files])


def _fingerprint(project: Path, files: list[str]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0".encode() + (project / file).read_bytes() + b"\0")
    return digest.hexdigest()


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


def source_state(params: Params, dataset: str) -> str:
    """Return a fingerprint of the user's own files that a data set is read from, "" if there are none.

    Names, sizes and dates of the files at `path`, `metadata_path`, `files` and `tracks` of its group, and of
    the groups that it mixes.
    """
    given: list[str] = []
    own = params.entry("datasets", dataset).model_dump()
    for group in (own, own.get("gtzan", {}), own.get("fma", {})):
        given += [group[key] for key in ("path", "metadata_path", "tracks") if group.get(key)]
        given += group.get("files", [])
    lines = sorted(line for path in given for line in _file_states(Path(path)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def weights_state(params: Params, model: str) -> str:
    """Return name, size and date of the user's own file that a model's weights come from, "" without one."""
    backbone = params.entry("models", model).backbone
    path = backbone and backbone.weights_path
    return "".join(_file_states(path)) if path else ""


def _file_states(path: Path) -> Iterator[str]:
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        state = file.stat()
        if file.is_file():
            yield f"{file}:{state.st_size}:{state.st_mtime_ns}"


def is_code(dependency: str) -> bool:
    """Tell code from data among the `deps` of ``dvc.yaml``."""
    return dependency.startswith(("workflow/scripts/", "src/"))
