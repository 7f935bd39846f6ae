import json

import pytest

from genredag.errors import DataError
from genredag.report.runs import read_run


@pytest.fixture
def folder(tmp_path, make):
    manifest = make.manifest(tmp_path / "data", ["blues", "rock"], tracks_per_genre=10)
    return make.run(tmp_path / "run", make.choice(), manifest, epochs=3)


def test_a_run_is_read_from_its_folder(folder, make):
    run = read_run(folder)
    assert run.choice == make.choice()
    assert run.anchor == "run-synthetic-mel-crnn-stratified_8_1_1-0-42"
    assert run.genres == ["blues", "rock"]
    assert len(run.history) == 3


def test_damaged_metrics_are_named(folder):
    (folder / "metrics.json").write_text('{"dataset": "synth')
    with pytest.raises(DataError, match=r"metrics\.json: not JSON"):
        read_run(folder)


def test_metrics_of_something_else_are_refused(folder):
    (folder / "metrics.json").write_text(json.dumps({"dataset": "synthetic", "seed": 1}))
    with pytest.raises(DataError, match="lacks fold, model, n_parameters, n_tracks, representation, split"):
        read_run(folder)
