import pytest

from genredag.params.groups.reading import read_tree
from genredag.report.group_view import group_view
from genredag.report.leaderboard import entries
from genredag.report.runs import read_run


@pytest.fixture(scope="module")
def view(tmp_path_factory, project_dir, make):
    """Two models that know the genres and one that guesses."""
    folder = tmp_path_factory.mktemp("group")
    manifest = make.manifest(folder, ["blues", "rock"], tracks_per_genre=40)
    skills = {"crnn": 3.0, "lstm": 2.8, "svm_rbf": 0.1}
    runs = [
        read_run(make.run(folder / model, make.choice(model=model), manifest, skill=skill, share=0.4))
        for model, skill in skills.items()
    ]
    ranked = entries(runs, "mean", 500)
    views = {entry.anchor: {"anchor": entry.anchor, "model": entry.choice["model"]} for entry in ranked}
    return group_view(ranked, views, read_tree(project_dir / "params.yaml"))


def test_bars_join_indistinguishable_entries(view):
    assert view["n_bars"] == 1
    bars = {entry["model"]: entry["bars"] for entry in view["entries"]}
    assert bars == {"crnn": [True], "lstm": [True], "svm_rbf": [False]}


def test_the_best_entry_is_listed_with_its_equals(view):
    _, second, last = view["entries"]
    assert last["model"] == "svm_rbf"
    assert [equal["model"] for equal in view["equals"]] == [second["model"]]


def test_every_pair_and_the_promise_of_the_split_are_listed(view):
    assert {(pair["a"], pair["b"]) for pair in view["pairs"] if pair["distinguishable"]} == {
        (f"{model} on mel", "svm_rbf on mel") for model in ("crnn", "lstm")
    }
    assert len(view["pairs"]) == 3
    assert view["promise"].startswith("no track has slices in more than one part")
    assert not view["leaky"]


def test_one_seed_is_counted(view):
    assert view["n_seeds"] == 1
