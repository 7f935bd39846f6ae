import dataclasses
import json
import zipfile

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.loading import load_bundle
from genredag.errors import ModelError
from genredag.training.train import train_bundle
from recipes import SVM, TRAIN


@pytest.fixture(scope="module")
def bundle(toy_slices):
    return train_bundle("svm_rbf", SVM, TRAIN, toy_slices, seed=1)[0]


@pytest.fixture
def saved(bundle, tmp_path):
    path = tmp_path / "bundle.zip"
    save_bundle(path, bundle)
    return path


def test_describes_itself(bundle):
    assert bundle.class_names == ["blues", "jazz", "rock"]
    assert not bundle.is_network
    assert set(bundle.info) == {
        *("class_names", "model", "frames", "slices", "train", "recipe", "options", "metrics"),
        *("features", "n_parameters", "layers", "seed", "versions", "commit"),
    }
    assert bundle.info["versions"]["numpy"] == np.__version__


def test_metrics_match_its_predictions(bundle, toy_slices):
    assert set(bundle.info["metrics"]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    split, slices = toy_slices.split, toy_slices.slices
    for part, prefix in (("train", ""), ("validation", "val_")):
        rows = (split["part"] == part).to_numpy()
        x = toy_slices.frames.gather(slices["first_frame"][rows], 10, slices["n_valid"][rows])
        p, labels = bundle.predict(x), np.searchsorted(bundle.class_names, split["genre"][rows])
        loss = -np.log(p[np.arange(len(labels)), labels]).mean()
        assert bundle.info["metrics"][f"{prefix}loss"] == pytest.approx(loss, rel=1e-3)
        assert bundle.info["metrics"][f"{prefix}accuracy"] == (p.argmax(axis=1) == labels).mean()


def test_probabilities_sum_to_one(bundle, toy_slices):
    slices = np.tile(toy_slices.frames.array[:10].astype(np.float32), (70, 1, 1))
    probabilities = bundle.predict(slices)
    assert probabilities.shape == (70, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities.argmax(axis=1) == 0).all()


def test_no_slices_give_no_predictions(bundle):
    assert bundle.predict(np.empty((0, 10, 12), np.float32)).shape == (0, 3)


def test_networks_over_windows_predict_whole_tracks_of_any_length(bundle):
    class Counting:
        input_shape = (None, None, 10, 12)

        def predict_on_batch(self, tracks):
            return np.cumsum(np.ones((*tracks.shape[:2], 3), np.float32), axis=1)

    network = dataclasses.replace(
        bundle, info=bundle.info | {"recipe": {"kind": "network"}, "features": None}, model=Counting()
    )
    assert network.over_windows and not bundle.over_windows
    for n in (0, 1, 70):
        p = network.predict(np.zeros((n, 10, 12), np.float32))
        assert p.tolist() == [[i + 1] * 3 for i in range(n)]
    p = network.predict(np.zeros((170, 10, 12), np.float32))  # longer than memory should have to hold
    assert p[:, 0].tolist() == [*range(1, 58), *range(1, 58), *range(1, 57)]


@pytest.mark.parametrize("shape", [(10, 12), (1, 11, 12), (1, 10, 13), (1, 12, 10)])
def test_refuses_other_shapes(bundle, shape):
    with pytest.raises(ModelError, match=r"svm_rbf: slices of shape .*; expected \(n_slices, 10, 12\)"):
        bundle.predict(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    "change",
    [{"representation": "cqt"}, {"n_bins": 13}, {"frames_per_second": 11.0}, {"params": {"n_mels": 13}}],
)
def test_refuses_other_frames(bundle, toy_slices, change):
    bundle.check_frames(toy_slices.frames.spec)
    ((key, value),) = change.items()
    with pytest.raises(ModelError) as error:
        bundle.check_frames(dataclasses.replace(toy_slices.frames.spec, **change))
    assert f"frames with {key} = {value}; expected {bundle.info['frames'][key]}" in str(error.value)


def test_saving_again_gives_the_same_bytes(saved, tmp_path):
    save_bundle(tmp_path / "again.zip", load_bundle(saved))
    save_bundle(tmp_path / "third.zip", load_bundle(tmp_path / "again.zip"))
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "third.zip").read_bytes()


def test_holds_no_pickle(saved):
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist() == ["bundle.json", "estimator.skops"]
        assert json.loads(archive.read("bundle.json"))["model"] == "svm_rbf"


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_refuses_a_file_that_is_not_a_zip(tmp_path, content):
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bundle\.zip: isn't a bundle \(File is not a zip file\)"):
        load_bundle(path)


@pytest.mark.parametrize("name", ["bundle.json", "estimator.skops"])
@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_refuses_a_damaged_file(saved, tmp_path, name, content):
    with zipfile.ZipFile(saved) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    damaged = {n: content if n == name else c for n, c in files.items()}
    with zipfile.ZipFile(tmp_path / "damaged.zip", "w") as archive:
        for n, c in damaged.items():
            if c is not None:
                archive.writestr(n, c)
    with pytest.raises(ModelError, match=r"damaged\.zip: can't be loaded as a bundle"):
        load_bundle(tmp_path / "damaged.zip")


def test_refuses_an_estimator_of_an_untrusted_type(saved, tmp_path):
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    with zipfile.ZipFile(saved) as archive:
        info = archive.read("bundle.json")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("bundle.json", info)
        archive.writestr("estimator.skops", skops.io.dumps(FunctionTransformer(print)))
    with pytest.raises(ModelError, match=r"evil\.zip: can't be loaded as a bundle \(Untrusted"):
        load_bundle(tmp_path / "evil.zip")
