"""The targets beside the DAG on the tiny data set: the leakage audit and the published studies."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from genredag.check_params.plan import choice_of, write_tree
from genredag.check_params.trial import tiny_tree
from genredag.check_params.workplace import Workplace, copy_project
from genredag.settings import set_values

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A copy whose audit and studies are tiny, built by Snakemake."""
    root = Path(__file__).resolve().parents[2]
    place = copy_project(root, tmp_path_factory.mktemp("extras"))
    tree = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    write_tree(place.folder / "params.yaml", tiny_tree(tree, choice_of(tree), touched=[]))
    audit = ["leakage_audit.seed=[1]", "leakage_audit.cnn.filters=[4]", "leakage_audit.cnn.epochs=1"]
    studies = ["as_published.studies=[gtzan_keras_2020_elastic_net, atml19_resnet18_frozen]"]
    studies += ["as_published.dataset=synthetic"]
    set_values(place.folder / "params.yaml", [*audit, *studies])
    place.snakemake("--cores", "2", "--show-failed-logs", "leakage_audit", "as_published")
    return place


def test_the_audit_has_every_mistake_or_says_why_not(tiny: Workplace) -> None:
    table = pd.read_csv(tiny.folder / "results/leakage_audit.csv")
    assert set(table["dataset"]) == {"synthetic"}
    listed = table["mistake"].str.contains("fault")
    assert table.loc[~listed, "points"].notna().all()
    assert table.loc[listed, "points"].isna().all()
    assert table.loc[listed, "note"].str.contains("fault_filtered: .* lists no track").all()
    slices = table[(table["level"] == "slice") & table["mistake"].str.startswith("selected on test")]
    assert (slices["points"].dropna() >= 0).all()
    assert "LEAKY" in (tiny.folder / "results/leakage_audit.md").read_text(encoding="utf-8")
    assert (tiny.folder / "results/leakage_audit.png").read_bytes().startswith(b"\x89PNG")


def test_studies_have_both_figures_or_say_why_not(tiny: Workplace) -> None:
    table = pd.read_csv(tiny.folder / "results/as_published.csv").set_index("study")
    run = table.loc["gtzan_keras_2020_elastic_net"]
    assert run[["as_published", "as_published_low", "corrected", "corrected_high"]].notna().all()
    assert pd.isna(run["note"])
    left_out = table.loc["atml19_resnet18_frozen"]
    assert pd.isna(left_out["as_published"])
    assert "LEAKY: slices of a track" in left_out["note"]
    assert "as published is left out: train: " in left_out["note"]


def test_nothing_is_left_to_do_and_nothing_of_the_studies_is_left_behind(tiny: Workplace) -> None:
    done = tiny.snakemake("--dry-run", "leakage_audit", "as_published")
    assert "Nothing to be done" in done.stdout + done.stderr
    assert not [path for path in (tiny.folder / "results/as_published").rglob(".*")]
