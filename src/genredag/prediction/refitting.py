"""Estimators fitted anew on all labelled slices, after the validation slices have calibrated them."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING

import numpy as np

from genredag.bundles.bundle import Bundle
from genredag.bundles.ensemble import EnsembleBundle
from genredag.models.layer_table import layers
from genredag.training.embedding import FITTED_PARTS
from genredag.training.ensembles import layers_of
from genredag.training.estimators import features_of

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

    from genredag.frames.split_slices import SplitSlices

logger = logging.getLogger(__name__)


def refitted(bundle: Bundle | EnsembleBundle, data: SplitSlices) -> Bundle | EnsembleBundle:
    """Return a bundle whose estimators have learned from the training and the validation slices of `data`.

    Options, temperatures and weights stay, and so do networks, which need validation slices to stop. The
    metrics in ``bundle.json`` were measured before that.

    Parameters
    ----------
    data
        What the bundle was trained on.
    """
    if not isinstance(bundle, EnsembleBundle):
        return _refitted(bundle, data)
    members = []
    for member in bundle.members:
        assert isinstance(member, Bundle)  # as training returns them
        members.append(_refitted(member, data))
    infos = [member.info for member in members]
    info = bundle.info | {"layers": layers_of(infos)}
    if any("refitted" in own for own in infos):
        info |= {"refitted": True}
    return EnsembleBundle(info, tuple(members))


def _refitted(bundle: Bundle, data: SplitSlices) -> Bundle:
    if not (feature_set := bundle.estimator_features):
        return bundle
    logger.info("%s: fitting it again on all tracks, with those that were set aside", bundle.info["model"])
    parts = [data.features(feature_set, part) for part in FITTED_PARTS]
    features = np.concatenate([features_of(slices) for slices in parts])
    labels = np.concatenate([slices.labels for slices in parts])
    model = _fitted_anew(bundle.model, features, labels)
    return Bundle(bundle.info | {"layers": layers(model), "refitted": True}, model)


def _fitted_anew(model: ClassifierMixin, features: np.ndarray, labels: np.ndarray) -> ClassifierMixin:
    """Return an estimator like `model`, fitted on other slices, with the same temperature."""
    from sklearn.base import clone
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    if not isinstance(model, CalibratedClassifierCV):
        return clone(model).fit(features, labels)
    (calibrated,) = model.calibrated_classifiers_
    again = FrozenEstimator(clone(calibrated.estimator.estimator).fit(features, labels))
    model, calibrated = copy.copy(model), copy.copy(calibrated)
    model.estimator = calibrated.estimator = again
    model.calibrated_classifiers_ = [calibrated]
    return model
