"""The combinations of models and representations that the two runners build, and those that they refuse."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from genredag.project.check_params.plan import build_placeholders
from genredag.project.search import read_search, search_table


@pytest.mark.slow
def test_the_matrix_pairs_models_with_compatible_representations(toy) -> None:
    toy.set("matrix.model=[crnn, mlp_85]", "matrix.representation=[mel, handcrafted]")
    done = toy.snakemake("--cores", "4")
    ran = toy.ran()
    assert (ran["spectrograms"], ran["train"]) == (2, 2)
    runs = {path.parent.parent.parent for path in (toy.folder / "results").glob("*/*/*/*/*/metrics.json")}
    names = {"/".join(path.parts[-2:]) for path in runs}
    assert names == {"mel/crnn", "handcrafted/mlp_85"}
    told = [line for line in done.stderr.splitlines() if "not built" in line]
    assert [line.split(" (")[0] for line in told] == [
        "genredag: not built on handcrafted: crnn",
        "genredag: not built on mel: mlp_85",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"\nmodel: crnn": "\nmodel: mlp_85"}, "model: 'mlp_85' can't take mel: the frames have no mfcc_1"),
        (
            {"\nmodel: crnn": "\nmodel: cnn2d_2018", "seconds: 3.0": "seconds: 1.0"},
            "model: 'cnn2d_2018' can't take mel: slices of 128 bins x 44 frames are too small",
        ),
        (
            {"\nmodel: crnn": "\nmodel: resnet18_ft", "weights: imagenet": "weights: absent.h5"},
            "models.resnet18_ft.backbone.weights: 'absent.h5' is not a file",
        ),
        ({"learning_rate: 0.001": "learning_rate: -0.001"}, "learning_rate: -0.001: input should be greater"),
        ({"\nmodel: crnn": "\nmodel: crn"}, "model: 'crn' is not a key of `models`; did you mean 'crnn'?"),
    ],
)
@pytest.mark.parametrize("runner", ["snakemake --cores 1", "dvc repro"])
def test_an_impossible_experiment_is_refused_before_any_job(refusing, runner, changes, told) -> None:
    path = refusing.folder / "params.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    name, *arguments = runner.split()
    done = getattr(refusing, name)(*arguments, check=False)
    assert done.returncode != 0
    assert refusing.ran() == Counter()
    errors = [
        line for line in (done.stdout + done.stderr).splitlines() if line.startswith("genredag: error:")
    ]
    assert len(errors) == 1 and told in errors[0] and "Hint: " in errors[0]


ABSENT = (
    "genredag: error: params.yaml: models.vgg16_ft.backbone.weights: 'imagenet': "
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 is not cached"
)


@pytest.fixture
def offline(monkeypatch) -> None:
    """Make every download fail."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def test_snakemake_stops_if_published_weights_are_missing(toy, offline) -> None:
    toy.set("model=vgg16_ft", "matrix.model=[svm_rbf, vgg16_ft]")
    toy.snakemake("--dry-run")
    done = toy.snakemake("--cores", "1", check=False)
    assert (done.returncode, toy.ran()) == (2, Counter())
    assert [line.startswith(ABSENT) for line in done.stderr.splitlines() if "genredag:" in line] == [True]
    assert "Traceback" not in done.stderr
    # What doesn't train it is built all the same.
    toy.snakemake("--cores", "1", "data/synthetic/manifest.parquet")
    assert toy.ran() == Counter(download=1)


@pytest.mark.slow
def test_asking_what_reruns_needs_no_weights(toy, offline) -> None:
    toy.set("model=vgg16_ft", "matrix.model=[vgg16_ft]")
    build_placeholders(toy)
    assert not (toy.folder / ".genredag-cache").exists()


def test_dvc_downloads_nothing_if_published_weights_are_missing(refusing, project_dir, offline) -> None:
    script = "workflow/scripts/download.py"
    shutil.copyfile(project_dir / script, refusing.folder / script)
    refusing.set("model=vgg16_ft")
    done = refusing.dvc("repro", "download", check=False)
    assert done.returncode != 0
    assert [line.startswith(ABSENT) for line in done.stderr.splitlines() if "genredag:" in line] == [True]
    assert not (refusing.folder / "experiment/manifest.parquet").exists()


def test_dvc_explains_a_wrong_name_before_it_misses_its_group(refusing) -> None:
    refusing.edit("params.yaml", "\nmodel: crnn", "\nmodel: crn")
    done = refusing.dvc("repro", check=False)
    told = [line for line in done.stderr.splitlines() if "genredag: error:" in line]
    assert done.returncode != 0
    assert len(told) == 1 and "model: 'crn' is not a key of `models`; did you mean 'crnn'" in told[0]


def test_music_that_is_not_there_is_refused_before_any_job(refusing) -> None:
    refusing.set("dataset=folder", "matrix.dataset=[synthetic, folder]", "datasets.folder.path=gone")
    for done in (refusing.snakemake("--cores", "2", check=False), refusing.dvc("repro", check=False)):
        assert done.returncode
        told = done.stdout + done.stderr
        assert f"error: datasets.folder.path: {refusing.folder / 'gone'}: no such file or folder" in told
        assert "Traceback" not in told
    assert refusing.ran() == Counter()


def test_a_folder_that_is_not_given_is_refused_before_any_job(refusing) -> None:
    refusing.set("dataset=folder", "matrix.dataset=[folder]")
    for done in (refusing.snakemake("--cores", "2", check=False), refusing.dvc("repro", check=False)):
        assert done.returncode
        told = done.stdout + done.stderr
        assert "error: datasets.folder.path: no folder" in told and "Traceback" not in told
    assert refusing.ran() == Counter()


def test_songs_and_known_faults_that_are_not_there_are_refused_before_any_job(refusing) -> None:
    refusing.set("external_songs.path=gone", "label_issues.faults=gone.csv")
    for target, told in (
        ("external_songs", f"external_songs.path: {refusing.folder / 'gone'}: no such file or folder"),
        ("label_issues", f"label_issues.faults: {refusing.folder / 'gone.csv'}: no such file or folder"),
    ):
        done = refusing.snakemake("--cores", "2", target, check=False)
        assert done.returncode and told in done.stderr and "Traceback" not in done.stderr
    assert refusing.ran() == Counter()


def test_a_matrix_with_a_model_that_fits_nothing_is_refused(refusing) -> None:
    refusing.edit("params.yaml", "model: [crnn, svm_rbf]", "model: [crnn, mlp_85]")
    done = refusing.snakemake("--dry-run", check=False)
    assert done.returncode == 2
    assert "params.yaml: matrix.model: 'mlp_85' can take none of mel, stft" in done.stderr
    assert "Traceback" not in done.stderr


def test_songs_from_elsewhere_must_be_named(refusing) -> None:
    done = refusing.snakemake("--dry-run", "external_songs", check=False)
    assert done.returncode == 2
    assert "external_songs.path: no songs; expected a folder <genre>" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_search_is_queued_experiments_compared_on_validation(toy) -> None:
    toy.with_git()
    toy.edit(".gitignore", "/experiment/", "")
    toy.commit("Let git track metrics, as the project does")
    grid = ("models.crnn.options.dropout=0.1,0.9", "models.crnn.epochs=3,4")
    toy.dvc("exp", "run", "--queue", "--name", "grid", *(part for axis in grid for part in ("-S", axis)))
    toy.dvc("exp", "run", "--run-all")
    assert toy.ran()["train"] == 4
    table = search_table(read_search(toy.folder, ["grid"])[0])
    assert table["models.crnn.options.dropout"].tolist() == [0.1, 0.1, 0.9, 0.9]
    assert table["validation_accuracy"].tolist() == [0.9, 0.9, 0.4, 0.4]
