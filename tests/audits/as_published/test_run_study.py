"""The command that runs a study: what it leaves out, and the user errors that it reports."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run_study(tree, tmp_path, monkeypatch):
    """Return a function that runs a study on the parameters `tree` and returns its predictions' path."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path / "cache"))
    spec = importlib.util.spec_from_file_location("run_study", ROOT / "workflow/scripts/run_study.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(study: str) -> Path:
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
        files = {"params": tmp_path / "params.yaml", "studies": ROOT / "studies.yaml"}
        files |= {"stages": ROOT / "dvc.yaml", "manifest": tmp_path / "manifest.parquet"}
        files |= {"predictions": tmp_path / "results" / "1.parquet"}
        flags = [f"--{flag}={path}" for flag, path in files.items()]
        script.main([*flags, "--dataset=gtzan", f"--study={study}", "--variant=as_published", "--seed=1"])
        return files["predictions"]

    return run


def test_a_study_without_weights_is_left_out_and_noted(run_study, tmp_path):
    predictions = run_study("intelligent_vgg16_ft")
    (row,) = pd.read_parquet(predictions).to_dict("records")
    assert row["left_out"].startswith("weights: imagenet: vgg16")
    assert str(tmp_path) not in row["left_out"]
    awaited = predictions.with_suffix(".awaits").read_text(encoding="utf-8").splitlines()[0]
    assert Path(awaited).parent == tmp_path / "cache" / "weights"
    assert sorted(path.name for path in predictions.parent.iterdir()) == ["1.awaits", "1.parquet"]


def test_a_user_error_writes_no_result(run_study, tree, tmp_path, capsys):
    tree["spectrograms"]["sr"], tree["representations"]["mel"]["fmax"] = 12000, 6000.0
    tree["representations"]["cqt"]["n_bins"] = 60
    with pytest.raises(SystemExit, match="2"):
        run_study("atml19_homebrew")
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("genredag: error: studies.yaml: representations.mel.fmax: 8000 is above 6000")
    assert not (tmp_path / "results").exists()


def test_a_weights_file_for_another_network_is_a_user_error(run_study, tree, tmp_path, capsys):
    (tmp_path / "w.h5").write_text("# A page", encoding="utf-8")
    tree["models"]["vgg16_ft_published"]["backbone"]["weights"] = str(tmp_path / "w.h5")
    with pytest.raises(SystemExit, match="2"):
        run_study("intelligent_vgg16_ft")
    told = capsys.readouterr().err.splitlines()[-1]
    assert "models.vgg16_ft_published.backbone.weights: " in told
    assert "not a Keras weights file" in told
    assert not (tmp_path / "results").exists()
