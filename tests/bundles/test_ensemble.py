import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.bundles.bundle import save_bundle, zipped
from genredag.bundles.ensemble import EnsembleBundle, product
from genredag.bundles.loading import load_bundle
from genredag.bundles.parts import is_network
from genredag.errors import ModelError

A = np.array([[0.8, 0.2], [0.5, 0.5]], np.float32)
B = np.array([[0.5, 0.5], [0.1, 0.9]], np.float32)


def test_probabilities_are_multiplied():
    np.testing.assert_allclose(product([A, B], [1.0, 1.0]), [[0.8, 0.2], [0.1, 0.9]], atol=1e-6)


def test_a_weight_is_an_exponent():
    squared = A.astype(float) ** 2 * B
    expected = squared / squared.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(product([A, B], [2.0, 1.0]), expected, atol=1e-6)


def test_one_member_with_weight_1_is_unchanged():
    np.testing.assert_allclose(product([A], [1.0]), A, atol=1e-6)


def test_a_probability_of_0_can_be_outvoted():
    sure, others = np.array([[0.0, 1.0]]), np.array([[1.0 - 1e-6, 1e-6]])
    assert product([sure, others], [0.3, 1.0])[0].argmax() == 0


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0.01, 50), st.floats(0.01, 50))
def test_products_are_probabilities(values, one, other):
    given_ = np.array([[*values, 1.0]]) / (sum(values) + 1)
    found = product([given_, given_[:, ::-1]], [one, other])
    assert found.dtype == np.float32 and np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_an_ensemble_predicts_the_product_of_its_members(untrained, make_slices):
    bundle, slices = untrained("mixed"), make_slices(70)
    parts = [member.predict(slices) for member in bundle.members]
    np.testing.assert_array_equal(bundle.predict(slices), product(parts, bundle.info["weights"]))
    assert bundle.is_network and not bundle.over_windows


@pytest.mark.parametrize("n_valid", [None, [120, 61, 2]])
def test_a_saved_ensemble_predicts_the_same(untrained, make_slices, tmp_path, n_valid):
    bundle, slices = untrained("mixed"), make_slices(3)
    for name in ("a.zip", "b.zip"):
        save_bundle(tmp_path / name, bundle)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    n_valid = n_valid and np.array(n_valid)
    found = load_bundle(tmp_path / "a.zip").predict(slices, n_valid)
    np.testing.assert_allclose(found, bundle.predict(slices, n_valid), atol=1e-6)


def rewritten(path, change):
    """Change the files of a bundle, a dict of contents by name."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    path.write_bytes(zipped(files))


def test_a_truncated_ensemble_is_not_taken_for_one_of_its_members(untrained, tmp_path):
    save_bundle(tmp_path / "whole.zip", untrained("mixed"))
    content, cut = (tmp_path / "whole.zip").read_bytes(), tmp_path / "cut.zip"
    for length in [
        *range(len(content) - 400, len(content), 7),
        *range(1000, len(content), len(content) // 200),
    ]:
        cut.write_bytes(content[:length])
        with pytest.raises(ModelError, match=r"cut\.zip: (isn't|can't be loaded as) a bundle"):
            load_bundle(cut)


@pytest.mark.parametrize(
    "edit",
    [
        lambda info: info | {"class_names": info["class_names"][::-1]},
        lambda info: info | {"weights": info["weights"][:1]},
        lambda info: info | {"weights": [*info["weights"], 1.0]},
        lambda info: info | {"weights": [float("nan"), 1.0]},
        lambda info: info | {"weights": ["1", "1"]},
        lambda info: info | {"slices": info["slices"] | {"n_frames": 7}},
    ],
)
def test_members_that_do_not_belong_to_it_are_refused(untrained, tmp_path, edit):
    path = tmp_path / "bundle.zip"
    save_bundle(path, untrained("mixed"))
    rewritten(
        path, lambda files: files.update({"bundle.json": json.dumps(edit(json.loads(files["bundle.json"])))})
    )
    with pytest.raises(ModelError, match="can't be loaded as a bundle"):
        load_bundle(path)


@pytest.mark.parametrize(("members", "needed"), [(["svm_rbf"], False), (["svm_rbf", "lstm"], True)])
def test_only_networks_need_keras(untrained, tmp_path, members, needed):
    mixed = untrained("mixed")
    recipes = {
        name: {"copies": 1, "weight": 1.0, "recipe": untrained(name).info["recipe"]} for name in members
    }
    bundles = tuple(untrained(name) for name in members)
    info = mixed.info | {"recipe": {"kind": "ensemble", "members": recipes}, "weights": [1.0] * len(members)}
    save_bundle(tmp_path / "own.zip", EnsembleBundle(info, bundles))
    assert is_network(tmp_path / "own.zip") == needed
    assert load_bundle(tmp_path / "own.zip").is_network == needed
