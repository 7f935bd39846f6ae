"""Every number of a report can be recomputed from predictions.parquet, without the model."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from genredag.evaluation.metrics import decision_accuracies, scores
from genredag.evaluation.predictions import track_predictions
from genredag.params.loading import load_params
from genredag.report.leaderboard import all_comparisons, entries, leaderboard, leaderboard_markdown
from genredag.report.page import report_pages
from genredag.report.runs import read_run
from genredag.report.what_ran import WhatRan


@pytest.fixture
def params(project_dir):
    return load_params(project_dir / "params.yaml")


@pytest.fixture(scope="module")
def reported(tmp_path_factory, make, report_script):
    """Two models of two seeds each, and their report."""
    folder = tmp_path_factory.mktemp("recomputed")
    manifest = make.manifest(folder, ["blues", "jazz", "pop", "rock"], tracks_per_genre=30)
    choices = [make.choice(model=model, seed=seed) for model in ("crnn", "lstm") for seed in (1, 2)]
    skills = {"crnn": 3.0, "lstm": 1.0}
    runs = [
        make.run(folder / str(i), which, manifest, skills[which["model"]], share=0.3, epochs=2)
        for i, which in enumerate(choices)
    ]
    return make.report(report_script, folder, runs, [("synthetic", folder / "manifest.parquet")]), runs


def test_the_leaderboard_matches_scikit_learn(reported):
    folder, runs = reported
    board = pd.read_csv(folder / "leaderboard.csv").set_index("model")
    for model, members in (("crnn", runs[:2]), ("lstm", runs[2:])):
        slices = [pd.read_parquet(run / "predictions.parquet").query("part == 'test'") for run in members]
        columns = [name for name in slices[0] if name.startswith("p_")]
        means = pd.concat(table.groupby(["track_id", "genre"])[columns].mean() for table in slices)
        predicted = means.idxmax(axis=1).str.removeprefix("p_")
        actual = means.index.get_level_values("genre")
        row = board.loc[model]
        assert row["track_accuracy"] == pytest.approx(accuracy_score(actual, predicted), abs=1e-6)
        assert row["macro_f1"] == pytest.approx(f1_score(actual, predicted, average="macro"), abs=1e-6)
        hits = pd.concat(slices).eval("genre == predicted")
        assert row["slice_accuracy"] == pytest.approx(hits.mean(), abs=1e-6)
        assert row["track_low"] < row["track_accuracy"] < row["track_high"]


def test_metrics_match_the_predictions(reported):
    for run in reported[1]:
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        predictions = pd.read_parquet(run / "predictions.parquet")
        for part in ("validation", "test"):
            slices = predictions[predictions["part"] == part]
            assert metrics[part]["slice"] == scores(slices)
            assert metrics[part]["track"] == scores(track_predictions(slices, "mean"))
        assert metrics["test"]["decisions"] == decision_accuracies(slices)


def test_the_tables_match_the_predictions(reported, params):
    folder, folders = reported
    runs = [read_run(run) for run in reversed(folders)]
    pooled = entries(runs, params.evaluate.track_decision, params.report.n_resamples)
    board = leaderboard(pooled)
    written = pd.read_csv(folder / "leaderboard.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(written, board, check_dtype=False)
    assert (folder / "leaderboard.md").read_text(encoding="utf-8") == leaderboard_markdown(board)
    tests = pd.read_csv(folder / "comparisons.csv")
    pd.testing.assert_frame_equal(tests, all_comparisons(pooled), check_dtype=False)
    assert tests["distinguishable"].tolist() == [True]


def test_the_page_needs_no_stored_metrics(reported, params):
    runs = [read_run(run) for run in reported[1]]
    kept = [
        {key: value for key, value in run.metrics.items() if key not in ("validation", "test")}
        for run in runs
    ]
    without = [replace(run, metrics=metrics) for run, metrics in zip(runs, kept, strict=True)]
    pooled = [entries(some, "mean", 100) for some in (runs, without)]
    rest = [], {}, params.report, params.model_dump(), WhatRan("", "", None, {}, ""), Path()
    pages = [report_pages(some, *rest) for some in pooled]
    assert pages[0] == pages[1]
