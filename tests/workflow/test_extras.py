"""The optional targets on the tiny data set: audits, and files for other projects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from genredag.models.backbones import BACKBONES
from genredag.project.check_params.plan import choice_of, write_tree
from genredag.project.check_params.tiny import tiny_tree
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.project.editing import set_values

LEFT_OUT = "atml19_resnet18_frozen"


def make_tiny(folder: Path, *assignments: str) -> Workplace:
    """Copy the project with parameters of the tiny data set; no weights can be downloaded."""
    root = Path(__file__).resolve().parents[2]
    place = copy_project(root, folder)
    tree = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    write_tree(place.folder / "params.yaml", tiny_tree(tree, choice_of(tree), touched=[]))
    set_values(place.folder / "params.yaml", ["as_published.dataset=synthetic", *assignments])
    return place


@pytest.fixture(scope="module", autouse=True)
def offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTPS_PROXY", "https_proxy"):
            patch.setenv(name, "http://127.0.0.1:9")
        yield


# Not among the slow tests: always, one study is brought from params.yaml to the table, without its weights.
def test_a_study_is_left_out_until_its_weights_arrive(tmp_path: Path) -> None:
    place = make_tiny(
        tmp_path,
        *("as_published.corrected_split=stratified_8_1_1", f"as_published.studies=[{LEFT_OUT}]"),
        *("datasets.synthetic.clip_seconds=1.0", "datasets.synthetic.tracks_per_genre=2"),
        *("split=kfold_10", "fold=3", "matrix.split=[stratified_8_1_1]"),
    )
    place.snakemake("--cores", "2", "--show-failed-logs", "as_published")
    (row,) = pd.read_csv(place.folder / "results/as_published.csv").to_dict("records")
    assert pd.isna(row["as_published"]) and pd.isna(row["corrected"])
    assert "corrected is left out: weights: imagenet: resnet18" in row["note"]
    assert row["corrected_on"] == "stratified_8_1_1, artists not parted"
    # Words beside the values run nothing, values do.
    studies = place.folder / "studies.yaml"
    text = studies.read_text(encoding="utf-8")
    for word, other, runs in (
        ("plotted image", "PLOTTED IMAGE", False),
        ("slices.overlap: 0.3", "slices.overlap: 0.2", True),
    ):
        assert word in text
        studies.write_text(text.replace(word, other), encoding="utf-8")
        assert ("\nrun_study " in place.snakemake("--dry-run", "as_published").stdout) == runs
    studies.write_text(text, encoding="utf-8")
    weights = place.folder / ".genredag-cache" / "weights" / BACKBONES["resnet18"].weights.name
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(b"supplied")
    done = place.snakemake("--dry-run", "as_published")
    assert re.search(r"^run_study +2$", done.stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A copy with a small audit and few studies and deformations, built by Snakemake."""
    audit = ["leakage_audit.seed=[1]", "leakage_audit.cnn.filters=[4]", "leakage_audit.cnn.epochs=1"]
    studies = f"as_published.studies=[gtzan_keras_2020_elastic_net, {LEFT_OUT}]"
    robustness = ["robustness.model=[svm_rbf, cnn_370k]", "robustness.representation=[mel, handcrafted]"]
    robustness += ["robustness.deformations.mp3_kbps=[32]", "robustness.deformations.noise_snr_db=[10.0]"]
    robustness += [
        f"robustness.deformations.{kind}=null" for kind in ("resample_hz", "gain_db", "high_pass_hz")
    ]
    place = make_tiny(tmp_path_factory.mktemp("extras"), *audit, studies, *robustness)
    evaluated = "results/synthetic/mel/{}/stratified_8_1_1/42/predictions.parquet"
    targets = ["leakage_audit", "as_published", "robustness", *map(evaluated.format, ("svm_rbf", "cnn_370k"))]
    place.snakemake("--cores", "2", "--show-failed-logs", *targets)
    return place


@pytest.mark.slow
def test_every_label_is_ranked_by_the_model_of_its_fold(tmp_path: Path) -> None:
    faults = tmp_path / "faults.csv"
    faults.write_text("track_id\nrock.00003\n", encoding="utf-8")
    place = make_tiny(
        tmp_path / "place",
        *("datasets.synthetic.clip_seconds=1.0", "datasets.synthetic.tracks_per_genre=5"),
        *("label_issues.model=[elastic_net]", "models.elastic_net.options.alpha=0.001"),
        *("models.elastic_net.options.selection_trees=0", "label_issues.representation=[mel]"),
        *("models.elastic_net.features=bin_statistics", "splits.artist_kfold_5.k=3"),
        f"label_issues.faults={faults}",
    )
    place.snakemake("--cores", "2", "--show-failed-logs", "label_issues")
    table = pd.read_csv(place.folder / "results/label_issues.csv")
    assert len(table) == table["track_id"].nunique() == 50
    folds = place.folder.glob(
        "results/synthetic/mel/elastic_net/artist_kfold_5-*/42/track_predictions.parquet"
    )
    predicted = pd.concat([pd.read_parquet(path).query("part == 'test'") for path in folds])
    expected = predicted.set_index("track_id")["predicted"].to_dict()
    assert table.set_index("track_id")["suggested"].to_dict() == expected
    assert table.loc[table["known_fault"], "track_id"].tolist() == ["rock.00003"]
    done = place.snakemake("--dry-run", "label_issues")
    assert "Nothing to be done" in done.stdout + done.stderr
    faults.write_text("track_id\nrock.00003\nrock.00004\n", encoding="utf-8")
    done = place.snakemake("--dry-run", "label_issues")
    assert re.search(r"^label_issues +1$", done.stdout, re.MULTILINE)
    assert not re.search(r"^evaluate ", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_learning_curves_end_where_the_normal_training_does(tmp_path: Path) -> None:
    place = make_tiny(
        tmp_path,
        *("datasets.synthetic.clip_seconds=1.0", "learning_curves.split=stratified_8_1_1"),
        *("learning_curves.model=[lda_textures, random_forest]", "learning_curves.seed=[42]"),
        "report.audits=[learning_curves]",
    )
    run = "synthetic/mel/lda_textures/stratified_8_1_1/42"
    targets = ("learning_curves", f"results/{run}/track_predictions.parquet")
    place.snakemake("--cores", "2", "--show-failed-logs", *targets)
    folder = place.folder / "results/learning_curves" / run
    assert sorted(path.name for path in folder.iterdir()) == ["0.25.parquet", "0.5.parquet", "1.0.parquet"]
    full = pd.read_parquet(folder / "1.0.parquet")
    evaluated = pd.read_parquet(place.folder / "results" / run / "track_predictions.parquet")
    expected = evaluated.query("part == 'test'").reset_index(drop=True)
    pd.testing.assert_frame_equal(full[expected.columns].reset_index(drop=True), expected)
    table = pd.read_csv(place.folder / "results/learning_curves.csv")
    assert table["n_training"].tolist() == [20, 40, 80] * 2
    done = place.snakemake("--dry-run", *targets)
    assert "Nothing to be done" in done.stdout + done.stderr
    assert "--audit learning_curves=results/learning_curves.csv" in place.snakemake("--dry-run", "-p").stdout


@pytest.mark.slow
def test_tables_and_pictures_of_a_split_are_written_once(tmp_path: Path) -> None:
    place = make_tiny(tmp_path, "datasets.synthetic.clip_seconds=3.0", "pictures.size=[32, 48]")
    targets = ("feature_tables", "pictures")
    place.snakemake("--cores", "2", "--show-failed-logs", *targets)
    results = place.folder / "results"
    folder, table = results / "pictures/synthetic/mel", pd.read_csv(results / "pictures/synthetic/mel.csv")
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert written == set(table["file"]) and len(table) == 100
    split = pd.read_parquet(place.folder / "data/synthetic/mel/stratified_8_1_1/42/split.parquet")
    assert table.set_index("track_id")["part"].to_dict() == split.set_index("track_id")["part"].to_dict()
    for name in ("features_30", "features_133"):
        csv = pd.read_csv(results / f"feature_tables/synthetic/{name}.csv")
        parquet = pd.read_parquet(results / f"feature_tables/synthetic/{name}.parquet")
        # The CSV has all digits.
        numbers = parquet.columns[4:]
        assert csv[numbers].astype("float32").equals(parquet[numbers])
        assert csv.columns.tolist() == parquet.columns.tolist() and len(csv) == 100
    done = place.snakemake("--dry-run", *targets)
    assert "Nothing to be done" in done.stdout + done.stderr


@pytest.mark.slow
def test_the_audit_has_every_mistake_or_the_reason_why_not(tiny: Workplace) -> None:
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


@pytest.mark.slow
def test_studies_have_both_accuracies_or_the_reason_why_not(tiny: Workplace) -> None:
    table = pd.read_csv(tiny.folder / "results/as_published.csv").set_index("study")
    run = table.loc["gtzan_keras_2020_elastic_net"]
    assert run[["as_published", "as_published_low", "corrected", "corrected_high"]].notna().all()
    assert pd.isna(run["note"])
    left_out = table.loc[LEFT_OUT]
    assert pd.isna(left_out["as_published"])
    assert "LEAKY: slices of a track" in left_out["note"]
    assert "as published is left out: weights: imagenet: " in left_out["note"]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["svm_rbf", "cnn_370k"])
def test_undeformed_tracks_are_predicted_as_by_the_evaluate_stage(tiny: Workplace, model: str) -> None:
    run = pd.read_parquet(
        tiny.folder / f"results/robustness/synthetic/mel/{model}/stratified_8_1_1/42.parquet"
    )
    evaluated = pd.read_parquet(
        tiny.folder / f"results/synthetic/mel/{model}/stratified_8_1_1/42/predictions.parquet"
    )
    expected = evaluated[evaluated["part"] == "test"].reset_index(drop=True)
    found = run.loc[run["deformation"] == "none", expected.columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.slow
def test_robustness_has_every_strength_of_every_model_that_fits(tiny: Workplace) -> None:
    table = pd.read_csv(tiny.folder / "results/robustness.csv")
    entries = table.groupby(["representation", "model"], sort=False)
    assert set(entries.groups) == {("mel", "svm_rbf"), ("mel", "cnn_370k"), ("handcrafted", "svm_rbf")}
    for _, own in entries:
        places = own[["deformation", "strength"]].fillna(0).to_numpy().tolist()
        assert places == [["none", 0], ["mp3_kbps", 32], ["noise_snr_db", 10]]
        assert own[["track_accuracy_low", "slice_accuracy", "chance"]].notna().all(axis=None)
    assert (table["chance"] == 10).all()
    assert (tiny.folder / "results/robustness.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_nothing_is_left_to_do_and_no_study_files_remain(tiny: Workplace) -> None:
    done = tiny.snakemake("--dry-run", "leakage_audit", "as_published", "robustness")
    assert "Nothing to be done" in done.stdout + done.stderr
    assert not [path for path in (tiny.folder / "results/as_published").rglob(".*")]


@pytest.mark.slow
def test_an_unknown_study_is_reported_in_one_line(tiny: Workplace) -> None:
    path = tiny.folder / "params.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(LEFT_OUT, LEFT_OUT[:-1]), encoding="utf-8")
    done = tiny.snakemake("--dry-run", "as_published", check=False)
    path.write_text(before, encoding="utf-8")
    told = (done.stdout + done.stderr).splitlines()
    assert [line for line in told if line.startswith("genredag: error: as_published.studies: 'atml19")]
    assert not [line for line in told if "Traceback" in line]
