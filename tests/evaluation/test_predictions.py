import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.bundles.bundle import Bundle
from genredag.errors import DataError, ModelError
from genredag.evaluation.predictions import class_names, track_predictions
from genredag.prediction.held_out import predict_split

NAMES = ["blues", "jazz", "rock"]


def table(rows):
    """Return predictions of (track_id, probabilities), all of true genre jazz."""
    ids, probabilities = zip(*rows, strict=True)
    frame = pd.DataFrame(np.array(probabilities, np.float32), columns=[f"p_{name}" for name in NAMES])
    frame.insert(0, "track_id", ids)
    return frame.assign(part="test", genre="jazz", artist=None, predicted="unused")


class Brightest:
    """Stands for an estimator: the third of the bins whose mean is largest."""

    def predict_proba(self, features):
        sums = features[:, :12].reshape(-1, 3, 4).sum(axis=2)
        return np.eye(3)[sums.argmax(axis=1)]


@pytest.fixture
def bundle(toy_slices):
    frames = {
        "representation": "mel",
        "n_bins": 12,
        "frames_per_second": 10.0,
        "unit": "dB",
        "params": {"n_mels": 12},
        "bins": list(range(12)),
    }
    recipe = {"kind": "estimator"}
    info = {
        "class_names": NAMES,
        "model": "m",
        "frames": frames,
        "slices": dataclasses.asdict(toy_slices.spec),
        "recipe": recipe,
        "features": "bin_statistics",
    }
    return Bundle(info, Brightest())


def test_predicts_the_held_out_slices(toy_slices, bundle):
    predictions = predict_split(bundle, toy_slices)
    held_out = toy_slices.split[toy_slices.split["part"] != "train"].reset_index(drop=True)
    assert list(predictions) == [
        "track_id",
        "slice",
        "part",
        "genre",
        "artist",
        "predicted",
        *(f"p_{n}" for n in NAMES),
    ]
    pd.testing.assert_frame_equal(predictions[list(held_out)], held_out)
    assert (predictions["predicted"] == predictions["genre"]).all()
    assert predictions["p_rock"].dtype == np.float32


def test_an_estimator_is_not_asked_for_each_track(toy_slices, bundle):
    """A forest of 500 trees takes as long for three slices as for a batch of 64."""
    asked = []

    class Counting(Brightest):
        def predict_proba(self, values):
            asked.append(len(values))
            return super().predict_proba(values)

    expected = predict_split(bundle, toy_slices)
    counted = dataclasses.replace(bundle, model=Counting())
    pd.testing.assert_frame_equal(predict_split(counted, toy_slices), expected)
    assert sum(asked) == len(expected)
    assert len(asked) == -(-len(expected) // 64)


class Running:
    """Stands for a network over windows: the share of frames so far that each third of the bins has won."""

    input_shape = (None, None, 10, 12)

    def predict_on_batch(self, tracks):
        sums = tracks.reshape(*tracks.shape[:2], -1, 3, 4).mean(axis=(2, 4))
        shares = np.cumsum(sums - sums.min() + 1, axis=1)
        return shares / shares.sum(axis=2, keepdims=True)


def test_a_network_over_windows_sees_a_track_up_to_the_slice(toy_slices, bundle):
    info = bundle.info | {"recipe": {"kind": "network"}, "features": None}
    network = Bundle(info, Running())
    # A leaky split: the last slice of every other track is in another part.
    split = toy_slices.split.copy()
    split.loc[split["slice"] == 2, "part"] = np.where(np.arange(24) % 2, "test", "validation")
    predictions = predict_split(network, dataclasses.replace(toy_slices, split=split))
    held_out = split["part"] != "train"
    np.testing.assert_array_equal(predictions["slice"], split.loc[held_out, "slice"])
    slices = toy_slices.slices[held_out].reset_index(drop=True)
    for _, part in predictions.groupby(["track_id", "part"]):
        rows = slices.loc[part.index]
        track = toy_slices.frames.gather(rows["first_frame"], 10, rows["n_valid"])
        expected = Running().predict_on_batch(track[np.newaxis])[0]
        np.testing.assert_allclose(part[[f"p_{n}" for n in NAMES]], expected, rtol=1e-6)


def test_left_out_slices_are_not_predicted(toy_slices, bundle):
    split = toy_slices.split.copy()
    split.loc[split["part"] == "validation", "part"] = None
    predictions = predict_split(bundle, dataclasses.replace(toy_slices, split=split))
    assert set(predictions["part"]) == {"test"}


def test_refuses_frames_of_another_kind(toy_slices, bundle):
    bundle.info["frames"]["representation"] = "cqt"
    with pytest.raises(ModelError, match="m: frames with representation = mel; expected cqt"):
        predict_split(bundle, toy_slices)


def test_class_names_may_contain_any_character():
    frame = pd.DataFrame(columns=["p_p_funk", "p_R&B", "genre"])
    assert class_names(frame) == ["p_funk", "R&B"]
    with pytest.raises(DataError, match="no columns p_<genre>"):
        class_names(pd.DataFrame(columns=["genre"]))


TWO_AGAINST_ONE = table([("t", [0.5, 0.4, 0.1]), ("t", [0.5, 0.4, 0.1]), ("t", [0.0, 0.9, 0.1])])


@pytest.mark.parametrize(
    ("decision", "predicted", "expected"),
    [
        ("mean", "jazz", [1 / 3, 1.7 / 3, 0.1]),
        ("vote", "blues", [2 / 3, 1 / 3, 0]),
        ("log_sum", "jazz", [0, 0.144 / 0.145, 0.001 / 0.145]),
    ],
)
def test_decisions(decision, predicted, expected):
    tracks = track_predictions(TWO_AGAINST_ONE, decision)
    assert tracks.drop(columns=[f"p_{n}" for n in NAMES]).to_dict("records") == [
        {"track_id": "t", "part": "test", "genre": "jazz", "artist": None, "predicted": predicted}
    ]
    np.testing.assert_allclose(tracks[[f"p_{n}" for n in NAMES]].to_numpy()[0], expected, atol=1e-6)


def test_a_tied_vote_goes_to_the_larger_mean():
    tied = table([("t", [0.5, 0.4, 0.1]), ("t", [0.1, 0.8, 0.1])])
    assert track_predictions(tied, "vote")["predicted"].tolist() == ["jazz"]


def test_the_product_of_slices_that_exclude_each_others_genre_is_finite():
    apart = table([("t", [1.0, 0.0, 0.0]), ("t", [0.0, 1.0, 0.0])])
    shares = track_predictions(apart, "log_sum")[[f"p_{n}" for n in NAMES]].to_numpy()[0]
    np.testing.assert_allclose(shares, [0.5, 0.5, 0], atol=1e-6)


def test_tracks_are_sorted_and_kept_separate():
    rows = [("b", [1, 0, 0]), ("a", [0, 0, 1]), ("b", [1, 0, 0])]
    tracks = track_predictions(table(rows), "mean")
    assert tracks[["track_id", "predicted"]].to_numpy().tolist() == [["a", "rock"], ["b", "blues"]]


def test_a_track_of_a_leaky_split_has_a_row_per_part():
    leaky = table([("t", [1, 0, 0]), ("t", [0, 0, 1])]).assign(part=["test", "validation"])
    tracks = track_predictions(leaky, "mean")
    assert tracks[["track_id", "part", "predicted"]].to_numpy().tolist() == [
        ["t", "test", "blues"],
        ["t", "validation", "rock"],
    ]


def test_no_slices_give_no_tracks():
    empty = track_predictions(TWO_AGAINST_ONE.iloc[:0], "log_sum")
    assert list(empty) == ["track_id", "part", "genre", "artist", "predicted", *(f"p_{n}" for n in NAMES)]
    assert empty.empty


@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(st.floats(0, 1), min_size=3, max_size=3)), min_size=1
    ),
    decision=st.sampled_from(["mean", "vote", "log_sum"]),
    order=st.randoms(use_true_random=False),
)
def test_any_order_of_slices_gives_the_same_shares(rows, decision, order):
    rows = [(track, (np.array(p) + 1e-3) / (sum(p) + 3e-3)) for track, p in rows]
    shuffled = order.sample(rows, len(rows))
    columns = [f"p_{name}" for name in NAMES]
    tracks = track_predictions(table(rows), decision)
    np.testing.assert_allclose(tracks[columns].sum(axis=1), 1, atol=1e-6)
    again = track_predictions(table(shuffled), decision)
    assert tracks["track_id"].tolist() == again["track_id"].tolist() == sorted({t for t, _ in rows})
    np.testing.assert_allclose(tracks[columns], again[columns], atol=1e-6)
