"""A hyper-parameter search: cells, means over seeds, selection on validation, and the plot."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from typer.testing import CliRunner

from genredag.cli import app
from genredag.errors import DataError
from genredag.project.check_params.workplace import Workplace
from genredag.project.search import Experiment, read_search, search_figure, search_table

# batch_size, epochs, seed, validation accuracy, validation log loss, test accuracy
RUNS = [
    (16, 5, 1, 0.50, 1.0, 0.90),
    (16, 5, 2, 0.70, 0.8, 0.80),
    (16, 50, 1, 0.80, 0.7, 0.30),
    (16, 50, 2, 0.60, 0.5, 0.50),
    (64, 5, 1, 0.70, 0.9, 1.00),
    (64, 50, 1, 0.20, 2.0, 0.99),
]


def trees(batch_size, epochs, seed, accuracy, loss, test):
    """Return params.yaml and metrics.json of a run."""
    recipe = {"batch_size": batch_size, "epochs": epochs, "augment": []}
    params = {"model": "crnn", "seed": seed, "models": {"crnn": recipe}}
    track = {"accuracy": accuracy, "log_loss": loss, "macro_precision": accuracy + 0.1}
    track |= {"balanced_accuracy": accuracy - 0.1}
    train = {"slice": {"accuracy": 0.9 + seed / 100}}
    return params, {"train": train, "validation": {"track": track}, "test": {"track": {"accuracy": test}}}


def experiments(runs):
    return [
        Experiment(
            {"model": "crnn", "seed": seed, "models.crnn.batch_size": batch, "models.crnn.epochs": epochs},
            {"validation.track.accuracy": a, "validation.track.log_loss": loss, "test.track.accuracy": t},
        )
        for batch, epochs, seed, a, loss, t in runs
    ]


def shown(name, state="success", run=RUNS[0]):
    """Return an experiment as `dvc exp show --json` has it."""
    params, metrics = trees(*run)
    data = {
        "params": {"params.yaml": {"data": params}},
        "metrics": {"experiment/metrics.json": {"data": metrics}},
    }
    if state not in (None, "success"):
        data["metrics"] = None
    return {"name": name, "executor": state and {"state": state}, "revs": [{"data": data}]}


@pytest.fixture
def dvc(monkeypatch):
    """Let DVC show these experiments."""

    def show(*found):
        text = json.dumps([{"rev": "workspace"}, {"rev": "abc", "experiments": list(found)}])
        answer = type("Done", (), {"stdout": text})
        monkeypatch.setattr(Workplace, "dvc", lambda self, *arguments: answer)

    return show


def test_cells_are_means_over_seeds_and_validation_selects():
    table = search_table(experiments(RUNS))
    assert list(table.columns) == [
        *("models.crnn.batch_size", "models.crnn.epochs", "n_runs"),
        *("train_accuracy", "validation_accuracy", "validation_precision", "validation_recall"),
        *("validation_log_loss", "test_accuracy"),
    ]
    # Three cells come to 0.7, 0.7 and 0.6; of the equal ones the lower loss wins, whatever they do on test.
    assert table.iloc[:, :2].to_numpy().tolist() == [[16, 50], [64, 5], [16, 5], [64, 50]]
    assert table["n_runs"].tolist() == [2, 1, 2, 1]
    assert table["validation_accuracy"].tolist() == pytest.approx([0.7, 0.7, 0.6, 0.2])
    assert table["validation_log_loss"].tolist() == pytest.approx([0.6, 0.9, 0.9, 2.0])


def test_test_accuracy_is_reported_for_the_selected_cell_only():
    test = search_table(experiments(RUNS))["test_accuracy"]
    assert test[0] == pytest.approx(0.4)
    assert test[1:].isna().all()


def test_training_accuracy_precision_and_recall_are_means_over_seeds(dvc):
    dvc(*(shown(f"grid-{i}", run=run) for i, run in enumerate(RUNS[:2])))
    (cell,) = search_table(read_search(".", ["grid"])[0]).to_dict("records")
    assert cell["n_runs"] == 2
    assert cell["train_accuracy"] == pytest.approx(0.915)
    assert cell["validation_precision"] == pytest.approx(0.7)
    assert cell["validation_recall"] == pytest.approx(0.5)


def test_what_an_older_version_did_not_measure_is_missing():
    table = search_table(experiments(RUNS))
    assert table[["train_accuracy", "validation_precision", "validation_recall"]].isna().all(axis=None)


def networks(*runs):
    """Return experiments with (model, epochs, validation accuracy); each recipe has its own epochs."""
    found = []
    for model, epochs, accuracy in runs:
        params = {"model": model, "models.a.epochs": 1, "models.b.epochs": 1, "models.b.units": 3}
        metrics = {"train.slice.accuracy": 0.9, "validation.track.accuracy": accuracy}
        metrics |= {"validation.track.log_loss": 1.0, "test.track.accuracy": 0.5}
        found.append(Experiment(params | {f"models.{model}.epochs": epochs}, metrics))
    return found


def test_recipes_of_several_models_share_their_columns():
    table = search_table(networks(("a", 5, 0.5), ("a", 50, 0.6), ("b", 5, 0.7), ("b", 50, 0.4)))
    assert list(table.columns[:4]) == ["model", "epochs", "n_runs", "train_accuracy"]
    assert table[["model", "epochs"]].to_numpy().tolist() == [["b", 5], ["a", 50], ["a", 5], ["b", 50]]


def test_a_plot_of_models_has_a_group_of_bars_for_each():
    runs = networks(("a", 5, 0.5), ("a", 50, 0.6), ("b", 5, 0.7), ("b", 50, 0.4))
    axes = search_figure(search_table(runs)).axes[0]
    *bars, frame = axes.patches
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    # Bars of 5 epochs, then of 50; the frame is around b with 5.
    assert [bar.get_height() for bar in bars] == [0.5, 0.7, 0.6, 0.4]
    assert (frame.get_x(), frame.get_height()) == pytest.approx((bars[1].get_x(), 0.7))
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["training accuracy, slices", "epochs 5", "epochs 50"]


def test_a_plot_of_models_leaves_out_what_a_model_lacks():
    runs = networks(("a", 5, 0.5), ("b", 5, 0.7))
    only_a = [Experiment({"model": "a", "models.a.units": units}, runs[0].metrics) for units in (1, None)]
    table = search_table([*only_a, Experiment({"model": "b"}, runs[1].metrics)])
    assert table["units"].tolist() == ["", 1, "null"]
    bars = [bar.get_height() for bar in search_figure(table).axes[0].patches[:-1]]
    assert sorted(height for height in bars if height == height) == [0.5, 0.5, 0.7]


def test_one_experiment_is_a_search_without_parameters():
    table = search_table(experiments(RUNS[:1]))
    assert next(iter(table.columns)) == "n_runs" and len(table) == 1
    assert search_figure(table).axes


def test_parameter_values_can_be_lists():
    a, b = experiments(RUNS[:2])
    a.params["models.crnn.augment"], b.params["models.crnn.augment"] = [], [{"kind": "noise", "std": 1.0}]
    assert search_table([a, b])["models.crnn.augment"].tolist() == ['[{"kind": "noise", "std": 1.0}]', "[]"]


@pytest.mark.parametrize("chosen", [5, None])
def test_null_is_a_value(chosen):
    runs = []
    for run, depth in zip(experiments([RUNS[0], RUNS[2]] * 2), (5, 5, None, None), strict=True):
        metrics = run.metrics | {"validation.track.accuracy": 0.5 + 0.1 * (depth == chosen)}
        runs.append(Experiment(run.params | {"max_depth": depth}, metrics))
    table = search_table(runs)
    shown = {5: 5, None: "null"}
    assert set(table["max_depth"]) == set(shown.values())
    assert table["max_depth"][0] == shown[chosen]
    axes = search_figure(table).axes[0]
    labels = [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    assert labels == ["5", "null", "5", "50"] or labels == ["5", "50", "5", "null"]
    assert len(axes.texts) == 4
    bars = search_figure(search_table(runs[::2])).axes[0]
    assert {bar.get_text() for bar in bars.get_yticklabels()} == {"max_depth 5", "max_depth null"}


def test_experiments_are_read_by_name(dvc):
    dvc(
        *(shown("grid-1"), shown("grid-2", None, RUNS[1]), shown("grid"), shown("grid-3", "running")),
        *(shown("grid-4", "failed"), shown("grids-1"), shown("other"), shown(None)),
    )
    finished, unfinished = read_search(".", ["grid"])
    assert (len(finished), unfinished) == (3, 2)
    assert finished[1].params["models.crnn.batch_size"] == 16
    assert finished[1].metrics["validation.track.accuracy"] == 0.7


def test_experiments_of_several_names_are_one_search(dvc):
    dvc(*(shown(name) for name in ("mlp_89-1", "mlp_89_centroid-1", "mlp_30", "mlp_42-1")))
    assert len(read_search(".", ["mlp_89", "mlp_30"])[0]) == 2


def test_a_name_without_experiments_is_reported(dvc):
    dvc(shown("grid-1"), shown("other"))
    for names in (["grid", "typo"], ["typo"]):
        with pytest.raises(DataError, match=r"^typo: no experiment has this name"):
            read_search(".", names)


def test_a_search_needs_a_finished_experiment(dvc):
    dvc(shown("grid-1", "queued"))
    with pytest.raises(DataError, match=r"grid: none of 1 experiments is finished. Hint: `dvc que"):
        read_search(".", ["grid"])


def test_a_plot_of_two_parameters_is_a_grid_with_the_choice_framed():
    axes = search_figure(search_table(experiments(RUNS))).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.600", "0.700", "0.700", "0.200"]
    (frame,) = axes.patches
    assert frame.get_xy() == (1, 0)  # 50 epochs, batches of 16


def test_a_plot_of_one_parameter_has_a_bar_for_each_value():
    axes = search_figure(search_table(experiments([RUNS[0], RUNS[2]]))).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["epochs 50", "epochs 5"]
    assert [bar.get_width() for bar in axes.patches] == [0.8, 0.5]


def test_the_command_prints_and_writes(dvc, tmp_path):
    dvc(*(shown(f"grid-{i}", run=run) for i, run in enumerate(RUNS, 1)), shown("grid-7", "queued"))
    files = {"--table": tmp_path / "grid.csv", "--plot": tmp_path / "grid.png"}
    arguments = [str(part) for pair in files.items() for part in pair]
    result = CliRunner().invoke(app, ["search", "grid", *arguments])
    assert result.exit_code == 0
    assert "1 more are unfinished" in result.output
    written = pd.read_csv(files["--table"])
    assert written["test_accuracy"][0] == pytest.approx(0.4) and math.isnan(written["test_accuracy"][1])
    assert files["--plot"].read_bytes().startswith(b"\x89PNG")
