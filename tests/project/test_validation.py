"""What is refused before any job runs: pictures that cannot be drawn. Other checks have tests elsewhere."""

from __future__ import annotations

import pytest

from genredag.errors import ParameterError
from genredag.params.loading import load_params
from genredag.project.validation import check_valid


@pytest.mark.parametrize(
    ("representation", "colour_map", "told"),
    [
        ("handcrafted", "grey", r"pictures.representation: handcrafted is not a spectrogram"),
        ("musicnn", "grey", r"pictures.representation: musicnn is not a spectrogram"),
        ("stack", "viridis", r"pictures.colour_map: 'viridis' colours one channel, but stack has red"),
        ("stack", "grey", None),
        ("mfcc", "viridis", None),
    ],
)
def test_pictures_are_of_spectrograms_in_colours_that_they_can_have(
    project_dir, representation, colour_map, told
):
    path = project_dir / "params.yaml"
    params = load_params(path)
    changes = {"representation": representation, "colour_map": colour_map}
    params = params.model_copy(update={"pictures": params.pictures.model_copy(update=changes)})
    if told is None:
        check_valid(params, path)
    else:
        with pytest.raises(ParameterError, match=told):
            check_valid(params, path)
