from __future__ import annotations

import zipfile

import pytest
from pydantic import ValidationError

from genredag.bundles.card import Estimate, read_card, require_card
from genredag.errors import ModelError


def write_zip(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_json", ".json"), content)
    return path


def test_reading_gives_what_was_written(make_card, tmp_path):
    path = write_zip(tmp_path / "model.zip", card_json=make_card().json_text(), bundle_json="{}")
    assert read_card(path) == make_card()
    assert require_card(path) == make_card()


def test_a_card_does_not_change(make_card):
    with pytest.raises(ValidationError, match="frozen"):
        make_card().model = "other"


def test_markdown_has_what_a_user_asks(make_card, squeezed):
    text = squeezed(make_card().markdown())
    for line in (
        "# svm_rbf on mel",
        "**It names the right genre for 75 % (60 to 86 %) of the test tracks**",
        "always naming the most common genre gives 50 %.",
        "| accuracy | 75 % (60 to 86 %) |",
        "| macro F1 | 0.73 |",
        "| 90 % sets that hold the right genre | 92 % |",
        "| blues | 50 % | 100 % | 0.67 | 20 |",
        "| tracks unlike the training music | 2 % |",
        "- It knows 2 genres.",
        "- Split: `artist_disjoint`, fold 0: no artist has tracks in more than one part",
        "- Tracks: 320 train, 40 validation, 40 test",
        "- Licence of the music: CC0",
        "@misc{toys, title = {Toys}}",
        "- Code: commit abc123, 2024-05-31",
        "- Versions: python 3.11.0, numpy 2.1.0",
    ):
        assert line in text
    assert "LEAKY" not in text


@pytest.mark.parametrize(
    ("n_parameters", "members", "kind"),
    [
        (None, {}, "a scikit-learn classifier"),
        (1234, {}, "1,234 weights"),
        (None, {"svm_rbf": 1, "random_forest": 2}, "the product of svm_rbf and 2 x random_forest"),
        (
            1234,
            {"lda_textures": 1, "cnn_103k": 3},
            "the product of lda_textures and 3 x cnn_103k, 1,234 weights",
        ),
    ],
)
def test_a_card_says_what_kind_of_model_it_is(make_card, n_parameters, members, kind):
    text = make_card(n_parameters=n_parameters, members=members).markdown()
    assert f"- Model: `svm_rbf`, {kind}, seed 1\n" in text


def test_a_leaky_card_says_so_before_any_number(make_card):
    text = make_card(warning="LEAKY: slices of one track train and test").markdown()
    assert text.index("**LEAKY") < text.index("tracks")


def test_unknowns_are_said(make_card, squeezed):
    card = make_card(
        accuracy=Estimate(value=0.75, low=None, high=None),
        unlike=None,
        date=None,
        commit=None,
        n_parameters=9000,
    )
    text = squeezed(card.markdown())
    assert "| accuracy | 75 % |" in text
    assert "| tracks unlike the training music | not measured |" in text
    assert "commit unknown, date unknown" in text
    assert "`svm_rbf`, 9,000 weights" in text


def test_a_bundle_without_card(tmp_path):
    path = write_zip(tmp_path / "bundle.zip", bundle_json="{}")
    assert read_card(path) is None
    with pytest.raises(ModelError, match=r"bundle\.zip: has no model card\. Hint: the evaluate stage writes"):
        require_card(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nonsense", "can't read card.json: Invalid JSON"),
        ("{}", "can't read card.json: name: Field required"),
        (" " * 2**21, "card.json has 2097152 bytes"),
    ],
)
def test_a_damaged_card_is_refused(tmp_path, content, message):
    path = write_zip(tmp_path / "model.zip", card_json=content)
    with pytest.raises(ModelError) as error:
        read_card(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [('"much"', "Input should be a valid number"), ("NaN", "Input should be a finite number")],
)
def test_a_number_must_be_one(make_card, tmp_path, value, message):
    content = make_card().json_text().replace("0.75", value)
    with pytest.raises(ModelError) as error:
        read_card(write_zip(tmp_path / "model.zip", card_json=content))
    assert f"can't read card.json: accuracy.value: {message}" in str(error.value)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "song.mp3").write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"song\.mp3: isn't a bundle"):
        read_card(tmp_path / "song.mp3")


def test_a_later_card_can_say_more(make_card, tmp_path):
    later = make_card().json_text().replace('"fold"', '"mood": "calm",\n  "fold"')
    assert read_card(write_zip(tmp_path / "model.zip", card_json=later)) == make_card()
