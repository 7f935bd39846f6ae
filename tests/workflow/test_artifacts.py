"""Other people fetch the model of the experiment by name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from genredag.project.stages import read_stages


def test_the_artifact_is_the_model_file_of_the_experiment(project_dir: Path) -> None:
    tree = yaml.safe_load((project_dir / "dvc.yaml").read_text(encoding="utf-8"))
    (artifact,) = tree["artifacts"].values()
    assert artifact["path"] == "experiment/model.zip"
    assert artifact["path"] in read_stages(project_dir / "dvc.yaml")["evaluate"]["outs"]


@pytest.mark.slow
def test_a_tagged_model_is_fetched_by_name(project_dir: Path, tmp_path: Path) -> None:
    tree = yaml.safe_load((project_dir / "dvc.yaml").read_text(encoding="utf-8"))
    (name,) = tree["artifacts"]
    make = {"cmd": "python make.py", "deps": ["make.py"], "outs": ["experiment/model.zip"]}
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "dvc.yaml").write_text(
        yaml.safe_dump({"stages": {"evaluate": make}, "artifacts": tree["artifacts"]}), encoding="utf-8"
    )
    (theirs / "make.py").write_text(
        "from pathlib import Path\nPath('experiment').mkdir(exist_ok=True)\n"
        "Path('experiment/model.zip').write_text('model')\n",
        encoding="utf-8",
    )
    identity = {
        f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }

    def run(command: str) -> None:
        subprocess.run(command.split(), cwd=theirs, check=True, env=os.environ | identity)

    for command in ("git init -q", "dvc init -q", "dvc repro -q", "git add -A", "git commit -q -m Train"):
        run(command)
    run(f"git tag --annotate --message Publish {name}@v1.0.0")  # DVC ignores other tags
    fetched = tmp_path / "fetched.zip"
    run(f"dvc artifacts get {theirs} {name} --out {fetched}")
    assert fetched.read_text(encoding="utf-8") == "model"
