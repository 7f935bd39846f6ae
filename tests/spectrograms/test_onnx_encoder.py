import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import OnnxEncoder
from genredag.params.loading import parse_params
from genredag.spectrograms.blocks import blocks, blockwise
from genredag.spectrograms.onnx_encoder import columns, encoder, onnx_embedding, recorded
from genredag.spectrograms.registry import describe, hop_length
from onnx_files import write_encoder

SR = 16_000


@pytest.fixture
def params(onnx_encoder):
    return OnnxEncoder(kind="onnx", path=str(onnx_encoder), sr=SR, window=1.0, layer="embedding")


def change(params, **values):
    return OnnxEncoder(**params.model_dump() | values)


def ramp(seconds, sr=SR):
    return np.linspace(0, 1, int(seconds * sr), endpoint=False, dtype=np.float32)


def test_the_window_of_a_frame_is_centred_on_it_and_lies_within_the_track(params):
    values = onnx_embedding(ramp(4), SR, params)
    assert params.frame_seconds == 0.5
    # The mean of a ramp is its value in the middle of the window.
    expected = np.clip(np.arange(0, 4.5, 0.5), 0.5, 3.5) / 4
    np.testing.assert_allclose(values[:, 0], expected, atol=1e-4)
    np.testing.assert_allclose(values[:, 1], expected, atol=1e-4)


def test_samples_are_resampled_to_the_rate_of_the_encoder(params):
    values = onnx_embedding(ramp(4, 22_050), 22_050, params)
    np.testing.assert_allclose(values[1:-1], onnx_embedding(ramp(4), SR, params)[1:-1], atol=2e-3)


def test_a_track_shorter_than_the_window_is_padded_with_silence(params):
    values = onnx_embedding(np.ones(SR // 4, np.float32), SR, params)
    np.testing.assert_allclose(values, [[0.25, 0.25, 0.25]], atol=1e-6)


@pytest.mark.parametrize("shape", [("n_samples",), (SR,), (1, SR), ("batch", "n_samples")])
def test_samples_may_have_an_axis_before_them(params, tmp_path, shape):
    own = change(params, path=str(write_encoder(tmp_path / "a.onnx", shape)))
    np.testing.assert_array_equal(onnx_embedding(ramp(2), SR, own), onnx_embedding(ramp(2), SR, params))


def test_an_output_over_time_is_averaged(params):
    np.testing.assert_allclose(
        onnx_embedding(ramp(2), SR, change(params, layer="steps")),
        onnx_embedding(ramp(2), SR, params),
        rtol=1e-6,
    )


def test_describes_itself(params):
    found = describe("my_encoder", params, 22_050)
    assert found["bins"] == columns(params) == ["embedding_1", "embedding_2", "embedding_3"]
    assert found["frames_per_second"] == 2.0
    assert found["unit"] == "feature"


def test_the_hop_is_half_a_window_at_most_a_second_and_a_half(params):
    assert hop_length(change(params, window=10.0), 22_050) == 33_075
    assert hop_length(change(params, window=10.0, hop_seconds=4.0), 22_050) == 88_200


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "missing.onnx"}, r"missing.onnx: no such file; expected the ONNX file of an encoder"),
        ({"layer": "penultimate"}, r"no output 'penultimate'.*embedding, steps, labels"),
        ({"layer": "labels"}, r"output 'labels' is int64 \(3,\); expected an output"),
        ({"sha256": "0" * 64}, r"another file: sha256 .*; expected 0000"),
    ],
)
def test_what_does_not_fit_is_an_error(params, values, message):
    with pytest.raises(ParameterError, match=message):
        encoder(change(params, **values))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 8_000), r"takes 8000 samples, but window \* sr is 16000"),
        ((2, "n_samples"), r"takes samples: tensor\(float\) \[2, 'n_samples'\]; expected one float32 input"),
        ((1, 1, "n_samples"), r"takes samples: .*; expected one float32 input"),
    ],
)
def test_other_inputs_are_an_error(params, tmp_path, shape, message):
    with pytest.raises(ParameterError, match=message):
        encoder(change(params, path=str(write_encoder(tmp_path / "a.onnx", shape))))


def test_an_encoder_that_returns_nan_is_an_error(params, tmp_path):
    onnx = pytest.importorskip("onnx")
    path = write_encoder(tmp_path / "a.onnx")
    model = onnx.load(path)
    (node,) = (node for node in model.graph.node if node.op_type == "Abs")
    node.op_type = "Log"  # of samples below 0
    onnx.save(model, path)
    with pytest.raises(ParameterError, match=r"a\.onnx: output 'embedding' is NaN or infinite for noise"):
        encoder(change(params, path=str(path)))


def test_another_file_is_an_error(params, tmp_path):
    (tmp_path / "a.onnx").write_text("not ONNX")
    with pytest.raises(ParameterError, match=r"a\.onnx: not a usable ONNX file"):
        encoder(change(params, path=str(tmp_path / "a.onnx")))


def test_the_hash_of_the_file_is_recorded_and_finds_a_copy_in_the_cache(params, tmp_path, monkeypatch):
    own = recorded(params)
    assert recorded(own) == own
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path))
    moved = change(own, path="moved.onnx")
    with pytest.raises(ParameterError, match=rf"moved.onnx: no such file.*encoders/{own.sha256}\.onnx"):
        encoder(moved)
    write_encoder(tmp_path / "encoder.onnx")
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoder.onnx").rename(tmp_path / "encoders" / f"{own.sha256}.onnx")
    assert encoder(moved).n_columns == 3


@pytest.mark.parametrize("sr", [SR, 22_050])
@pytest.mark.parametrize("seconds", [70.3, 0.4])
def test_blocks_give_the_frames_of_the_whole_track(params, sr, seconds):
    y = np.random.default_rng(0).normal(0, 0.1, int(seconds * sr)).astype(np.float32)
    whole = blockwise("my_encoder", sr, params)
    cut = blocks((y[i : i + 50_001] for i in range(0, len(y), 50_001)), sr // 2, whole.context, 64)
    found = np.concatenate([whole.values(block) for block in cut])
    np.testing.assert_allclose(found, onnx_embedding(y, sr, params), atol=1e-5)


def test_a_key_of_another_kind_is_unknown(tree):
    tree["representations"]["mell"] = tree["representations"]["mel"]
    with pytest.raises(ParameterError, match=r"'mell' is unknown; .*needs `kind: onnx`; did you mean 'mel'"):
        parse_params(tree)


def test_own_encoders_are_entries(tree, params):
    tree["representations"]["my_encoder"] = params.model_dump(exclude_none=True)
    tree["representation"] = "my_encoder"
    assert parse_params(tree).entry("representations", "my_encoder") == params
    del tree["representations"]["my_encoder"]["layer"]
    with pytest.raises(ParameterError, match=r"representations\.my_encoder\.layer: missing"):
        parse_params(tree)
