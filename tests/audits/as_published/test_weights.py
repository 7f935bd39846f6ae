"""Weights that a study waits for: errors while they are missing, and changes of state when they arrive."""

from types import SimpleNamespace

import pytest

from genredag.audits.as_published.weights import (
    NoWeightsError,
    awaited_state,
    close_note,
    require_weights,
    write_note,
)
from genredag.errors import ModelError
from genredag.models.backbones import BACKBONES
from genredag.models.pretrained import fetch_weights

RESNET = SimpleNamespace(architecture="resnet18", weights="imagenet")


@pytest.fixture
def offline(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def test_only_published_weights_are_required(offline, tmp_path):
    require_weights(None, tmp_path)
    require_weights(SimpleNamespace(architecture="resnet18", weights=None), tmp_path)
    require_weights(SimpleNamespace(architecture="resnet18", weights="mine.h5"), tmp_path)
    with pytest.raises(NoWeightsError, match=r"^weights: imagenet: resnet18.* can't be downloaded") as caught:
        require_weights(RESNET, tmp_path)
    with pytest.raises(ModelError) as told:
        fetch_weights(BACKBONES["resnet18"].weights, tmp_path)
    assert told.value.expected.startswith(f"{caught.value.path} with ")
    assert str(tmp_path) not in str(caught.value)


def test_the_state_changes_when_the_weights_arrive(tmp_path):
    weights, predictions = tmp_path / "weights.h5", tmp_path / "1.parquet"
    assert awaited_state(predictions) == ""
    close_note(predictions, "")
    assert awaited_state(predictions) == ""
    write_note(predictions, weights)
    assert awaited_state(predictions) == ""
    weights.write_bytes(b"cut")
    wrong = awaited_state(predictions)
    write_note(predictions, weights)
    assert awaited_state(predictions) == wrong
    weights.write_bytes(b"weights")
    came = awaited_state(predictions)
    assert len({"", wrong, came}) == 3
    close_note(predictions, came)
    weights.unlink()
    assert awaited_state(predictions) == came


def test_the_state_stays_if_the_weights_were_not_awaited(tmp_path):
    weights, predictions = tmp_path / "weights.h5", tmp_path / "1.parquet"
    write_note(predictions, weights)
    begun = awaited_state(predictions)
    weights.write_bytes(b"downloaded by the study")
    close_note(predictions, begun)
    assert awaited_state(predictions) == begun == ""
