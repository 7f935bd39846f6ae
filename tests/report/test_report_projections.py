import numpy as np
import pytest

from genredag.report.projections import component_labels, projections

GENRES = np.repeat(["blues", "jazz", "rock"], 10)


@pytest.fixture
def features():
    """Thirty tracks of three genres that differ in two of twenty noisy features, which vary little."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (30, 20))
    x[:, :2] = 0.1 * x[:, :2] + np.array([[0, 0], [1, 0], [0, 1]]).repeat(10, axis=0)
    return 5 * x + 100


def separation(points):
    """Return the distance between genres over the spread within them."""
    centres = np.stack([points[genre == GENRES].mean(axis=0) for genre in np.unique(GENRES)])
    within = np.sqrt(np.mean([points[genre == GENRES].var(axis=0) for genre in np.unique(GENRES)]))
    return centres.std(axis=0).min() / within


def test_there_are_three_projections_and_only_one_knows_the_genres(features):
    pca, lda, tsne = projections(features, GENRES)
    assert [found.name for found in (pca, lda, tsne)] == ["PCA", "LDA", "t-SNE"]
    assert all(
        found.points.shape == (30, 2) and np.isfinite(found.points).all() for found in (pca, lda, tsne)
    )
    shuffled = np.random.default_rng(1).permutation(GENRES)
    again = projections(features, shuffled)
    np.testing.assert_array_equal(again[0].points, pca.points)
    np.testing.assert_array_equal(again[2].points, tsne.points)
    assert not np.allclose(again[1].points, lda.points)
    assert separation(lda.points) > 3 > separation(pca.points)


def test_neighbours_stay_neighbours():
    x = np.concatenate([np.random.default_rng(i).normal(20 * i, 1, (20, 5)) for i in range(2)])
    *_, tsne = projections(x, np.repeat(["a", "b"], 20))
    distance = np.linalg.norm(tsne.points[:, np.newaxis] - tsne.points, axis=2) + np.diag(np.full(40, np.inf))
    assert (distance.argmin(axis=1) // 20 == np.arange(40) // 20).all()


def test_two_genres_have_no_two_discriminants_and_few_tracks_no_neighbourhoods(features):
    assert [found.name for found in projections(features[:20], GENRES[:20])] == ["PCA", "t-SNE"]
    assert [found.name for found in projections(features[:4], GENRES[:4])] == ["PCA"]


def test_constant_features_and_fewer_tracks_than_features(features):
    x = np.concatenate([features[::5], np.zeros((6, 40))], axis=1)
    assert all(np.isfinite(found.points).all() for found in projections(x, GENRES[::5]))


def test_labels_name_the_variance():
    assert component_labels(np.array([0.5, 0.25])) == ("first component, 50% of the variance", "second, 25%")
