"""The workflow used from another folder: as a module, and as deployed by snakedeploy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from genredag.project.check_params.plan import choice_of, run_folder, write_tree
from genredag.project.check_params.tiny import tiny_tree
from genredag.project.check_params.workplace import Workplace

ROOT = Path(__file__).resolve().parents[2]
MODULE = """
module genredag:
    snakefile: "{snakefile}"

use rule * from genredag
"""


class User(Workplace):
    """A folder that holds nothing of the project, with its library installed."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PYTHONPATH": str(ROOT / "src")}


@pytest.fixture
def tree() -> dict:
    """Give parameters of the tiny data set, with one cheap model."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree |= {"model": "svm_rbf", "representation": "mel"}
    return tiny_tree(tree, choice_of(tree), touched=[])


@pytest.fixture
def user(tmp_path: Path, tree: dict) -> User:
    """A user's folder: a Snakefile of four lines and parameters."""
    text = MODULE.format(snakefile=ROOT / "workflow/Snakefile")
    (tmp_path / "Snakefile").write_text(text, encoding="utf-8")
    write_tree(tmp_path / "params.yaml", tree)
    return User(tmp_path)


def test_a_module_plans_with_the_users_values_and_its_own_files(user: User) -> None:
    done = user.snakemake("--dry-run", "--printshellcmds", "--cores", "1")
    assert re.search(r"^train +1$", done.stdout, re.MULTILINE)
    assert f"no studies.yaml beside params.yaml, so {ROOT / 'studies.yaml'} is used" in done.stderr
    assert (user.folder / ".snakemake/genredag").resolve() == ROOT
    assert "python .snakemake/genredag/workflow/scripts/train.py --params params.yaml" in done.stdout
    assert str(ROOT) not in "".join(line for line in done.stdout.splitlines() if "Shell command" in line)


def test_a_deployed_workflow_reads_config_yaml_and_refuses_other_values(user: User, tree: dict) -> None:
    deployed = user.folder / "workflow" / "Snakefile"
    deployed.parent.mkdir()
    snakefile = (user.folder / "Snakefile").read_text(encoding="utf-8")
    (user.folder / "Snakefile").unlink()
    # As snakedeploy writes it.
    snakefile = 'configfile: "config/config.yaml"\n' + snakefile.replace(
        '/Snakefile"\n', '/Snakefile"\n    config: config\n'
    )
    deployed.write_text(snakefile, encoding="utf-8")
    (user.folder / "config").mkdir()
    (user.folder / "params.yaml").rename(user.folder / "config/config.yaml")
    done = user.snakemake("--dry-run", "--printshellcmds", "--cores", "1")
    assert "train.py --params config/config.yaml" in done.stdout
    done = user.snakemake("--dry-run", "--cores", "1", "--config", "seed=7", check=False)
    assert done.returncode == 2
    assert "config/config.yaml: --config or --configfile changes seed" in done.stderr


def test_the_defaults_of_a_deployed_workflow_are_those_of_params_yaml() -> None:
    assert (ROOT / "config/config.yaml").resolve() == ROOT / "params.yaml"


@pytest.mark.slow
def test_a_module_builds_once_in_the_users_folder(user: User, tree: dict) -> None:
    user.snakemake("--cores", "2", "--show-failed-logs")
    assert (user.folder / run_folder(tree) / "metrics.json").is_file()
    assert (user.folder / "results/report.html").is_file()
    done = user.snakemake("--dry-run", "--cores", "2")
    assert "Nothing to be done" in done.stdout + done.stderr
