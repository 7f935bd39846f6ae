"""`genredag set`: values change in place, comments stay, nonsense is refused before it is written."""

from __future__ import annotations

import pytest
import yaml

from genredag.errors import ParameterError
from genredag.params.loading import load_params
from genredag.project.editing import set_values


@pytest.fixture
def params_file(tmp_path, project_dir):
    path = tmp_path / "params.yaml"
    path.write_text((project_dir / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_values_change_and_comments_stay(params_file):
    before = params_file.read_text(encoding="utf-8")
    set_values(
        params_file, ["slices.seconds=5", "matrix.model=[crnn, lstm]", "datasets.gtzan.path=/my/gtzan"]
    )
    params = load_params(params_file)
    assert (params.slices.seconds, params.matrix.model) == (5.0, ["crnn", "lstm"])
    assert params.datasets.gtzan.path == "/my/gtzan"
    after = params_file.read_text(encoding="utf-8")
    assert after.count("#") == before.count("#")
    assert "seconds: 5.0" in after


def test_setting_a_value_to_itself_changes_nothing_else(params_file):
    before = params_file.read_text(encoding="utf-8")
    set_values(params_file, [f"seed={yaml.safe_load(before)['seed']}"])
    assert params_file.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("slices.seconds", "assigns nothing"),
        ("slices.secnds=5", "slices.secnds: no such key. Hint: one of seconds"),
        ("slices.seconds.x=5", "a value has no keys"),
        ("slices.overlap=-1.0", "slices.overlap: -1.0"),
        ("model=crn", "did you mean 'crnn'"),
    ],
)
def test_nonsense_is_refused_and_the_file_is_untouched(params_file, assignment, message):
    before = params_file.read_bytes()
    with pytest.raises(ParameterError, match=message):
        set_values(params_file, ["seed=1", assignment])
    assert params_file.read_bytes() == before


def test_a_study_that_there_is_not_is_refused_where_studies_are(params_file, project_dir):
    before = params_file.read_bytes()
    (params_file.parent / "studies.yaml").write_bytes((project_dir / "studies.yaml").read_bytes())
    with pytest.raises(ParameterError, match=r"'pons_tim' is unknown.*did you mean 'pons_time'"):
        set_values(params_file, ["as_published.studies=[pons_tim]"])
    assert params_file.read_bytes() == before
