"""Validation of ``params.yaml``: its values, its pairs of model and representation, its studies."""

from __future__ import annotations

from pathlib import Path

from genredag.audits.as_published.studies import check_studies
from genredag.exports.colours import check_colours
from genredag.models.compatibility import check_experiment, matrix_pairs
from genredag.params.loading import load_params
from genredag.params.schema import Params
from genredag.spectrograms.registry import count_channels, known


def load_valid_params(path: Path, studies: Path | None = None) -> Params:
    """Read ``params.yaml`` and check everything that can be checked before any job runs.

    Parameters
    ----------
    studies
        A ``studies.yaml``; None for the one next to `path`, if there is one.

    Raises
    ------
    ParameterError
        A value is invalid, a model can't take its representation, pictures can't be drawn of theirs, or
        `studies` lacks a study that ``params.yaml`` names.
    """
    params = load_params(path)
    check_valid(params, path, studies)
    return params


def check_valid(params: Params, path: Path, studies: Path | None = None) -> None:
    """Check values that have already been read from `path`; see `load_valid_params`."""
    check_experiment(params)
    matrix_pairs(params)
    _check_pictures(params)
    studies = studies or Path(path).with_name("studies.yaml")
    if studies.is_file():
        check_studies(params, studies)


def _check_pictures(params: Params) -> None:
    name, colour_map = params.pictures.representation, params.pictures.colour_map
    n_channels = count_channels(params.entry("representations", name))
    check_colours(name, n_channels, colour_map, is_spectrogram=known(name).picture)
