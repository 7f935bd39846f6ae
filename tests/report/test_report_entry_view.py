"""An entry's numbers match its predictions.parquet, recomputed here without genredag's functions."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from genredag.errors import ModelError
from genredag.params.groups.reading import read_tree
from genredag.report.entry_view import entry_view
from genredag.report.leaderboard import entries
from genredag.report.runs import read_run

GENRES = ["blues", "country", "rock"]
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make):
    folder = tmp_path_factory.mktemp("entry")
    manifest = make.manifest(folder, GENRES, tracks_per_genre=20)
    for seed in SEEDS:
        make.run(folder / str(seed), make.choice(seed=seed), manifest, skill=1.0, share=0.4)
    return folder


@pytest.fixture(scope="module")
def view(folder, project_dir):
    (entry,) = entries([read_run(folder / str(seed)) for seed in SEEDS], "mean", 100)
    return entry_view(entry, read_tree(project_dir / "params.yaml"), None, [], 3.0)


@pytest.fixture(scope="module")
def tracks(folder):
    """Mean probabilities of each test track of each seed, and the genre of the largest."""
    tables = []
    for seed in SEEDS:
        slices = pd.read_parquet(folder / str(seed) / "predictions.parquet")
        slices = slices[slices["part"] == "test"]
        p = [f"p_{genre}" for genre in GENRES]
        table = slices.groupby(["track_id", "genre"])[p].mean().reset_index().assign(seed=seed)
        tables.append(table.assign(predicted=[GENRES[i] for i in table[p].to_numpy().argmax(axis=1)]))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def slices(folder):
    tables = [pd.read_parquet(folder / str(seed) / "predictions.parquet") for seed in SEEDS]
    return pd.concat(tables).query("part == 'test'")


def test_scores(view, tracks, slices):
    actual, predicted = tracks["genre"], tracks["predicted"]
    hits = (actual == predicted).mean()
    assert 0.2 < hits < 0.95
    assert view["track"].estimate == pytest.approx(hits)
    assert view["slice"].estimate == pytest.approx((slices["genre"] == slices["predicted"]).mean())
    assert view["f1"].estimate == pytest.approx(metrics.f1_score(actual, predicted, average="macro"))
    assert view["track"].low < hits < view["track"].high
    assert view["n_test_tracks"] == tracks["track_id"].nunique()
    assert view["n_runs"] == 2 and view["trials"] == "over 2 seeds"


def test_slice_and_track_scores_are_shown_together(view, tracks, slices):
    shown = {name: values for name, *values in view["scores"]}
    for at, table in enumerate((slices, tracks)):
        actual, p = table["genre"], table[[f"p_{genre}" for genre in GENRES]].to_numpy(float)
        p = p / p.sum(axis=1, keepdims=True)
        expected = {
            "Accuracy": metrics.accuracy_score(actual, table["predicted"]),
            "Balanced accuracy": metrics.balanced_accuracy_score(actual, table["predicted"]),
            "Macro precision": metrics.precision_score(actual, table["predicted"], average="macro"),
            "Macro F1": metrics.f1_score(actual, table["predicted"], average="macro"),
            "Top-3 accuracy": 1.0,
            "Log loss": metrics.log_loss(actual, p, labels=GENRES),
            "Area under the ROC": metrics.roc_auc_score(actual, p, multi_class="ovr"),
        }
        for name, value in expected.items():
            assert shown[name][at] == pytest.approx(value, abs=2e-6), name
    assert shown["Calibration error"][1] == view["calibration_error"]


def test_the_three_decisions_are_shown_together(view, tracks, slices):
    p = [f"p_{genre}" for genre in GENRES]
    keys = [slices["track_id"], slices["genre"], np.arange(len(slices)) // (len(slices) // len(SEEDS))]
    won = (slices[p] == slices[p].max(axis=1).to_numpy()[:, None]).astype(float)
    scores = {
        "Mean of probabilities": slices[p].groupby(keys).mean(),
        "Vote": won.groupby(keys).sum() + slices[p].groupby(keys).mean() / 2,
        "Sum of log-probabilities": np.log(slices[p]).groupby(keys).sum(),
    }
    shown = {name: accuracy for name, accuracy, _ in view["decisions"]}
    assert list(shown) == list(scores)
    for name, score in scores.items():
        predicted = score.idxmax(axis=1).str.removeprefix("p_")
        assert shown[name] == pytest.approx((predicted == score.index.get_level_values("genre")).mean())
    assert [name for name, _, used in view["decisions"] if used] == ["Mean of probabilities"]


def test_confusion(view, tracks):
    counts = metrics.confusion_matrix(tracks["genre"], tracks["predicted"], labels=GENRES)
    shown = dict(view["confusion"])
    assert [[n for _, n, _ in shown[genre]] for genre in GENRES] == counts.tolist()
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose([[share for *_, share in shown[genre]] for genre in GENRES], shares)


def test_genres(view, tracks):
    table = pd.DataFrame(view["per_genre"]).set_index("genre")
    for key, score in (("precision", metrics.precision_score), ("recall", metrics.recall_score)):
        expected = score(tracks["genre"], tracks["predicted"], labels=GENRES, average=None)
        np.testing.assert_allclose(table[key], expected, atol=1e-6)
    for genre in GENRES:
        area = metrics.roc_auc_score(tracks["genre"] == genre, tracks[f"p_{genre}"])
        assert table.loc[genre, "area"] == pytest.approx(area)


def test_calibration_error(view, tracks):
    confidence = tracks[[f"p_{genre}" for genre in GENRES]].max(axis=1)
    hit = tracks["genre"] == tracks["predicted"]
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs((confidence - hit)[bins == b].sum()) for b in range(10)]
    assert view["calibration_error"] == pytest.approx(sum(gaps) / len(tracks), abs=1e-6)


def test_mistakes(view, tracks):
    wrong = tracks[tracks["genre"] != tracks["predicted"]]
    first = view["mistakes"][0]
    p = wrong[[f"p_{genre}" for genre in GENRES]].max(axis=1)
    assert first["confidence"] == pytest.approx(p.max())
    assert first["track_id"] == wrong.loc[p.idxmax(), "track_id"]
    assert first["n_wrong"] == (wrong["track_id"] == first["track_id"]).sum()
    assert first["thumbnail"] is None


def test_scores_of_one_run_match_its_metrics_json(folder):
    run = read_run(folder / "1")
    (entry,) = entries([run], "mean", 100)
    assert entry.track_scores == run.metrics["test"]["track"]
    assert entry.slice_scores == run.metrics["test"]["slice"]


def test_layers_come_from_the_bundle(view, tmp_path, make):
    assert [layer["kind"] for layer in view["layers"]] == ["Dense"]
    manifest = make.manifest(tmp_path, GENRES, tracks_per_genre=10)
    run = make.run(tmp_path / "run", make.choice(), manifest, epochs=2)
    (run / "bundle.zip").write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"bundle\.zip: isn't a bundle"):
        read_run(run)
