"""Fixtures that write the inputs of the report: run folders, manifests and frame stores."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from genredag.audits.as_published.studies import VARIANTS
from genredag.evaluation.metrics import evaluate_predictions

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
SKILL = {"svm_rbf": 1.4, "cnn_370k": 2.6, "lstm": 1.9, "crnn": 3.0}
HZ = {
    "stft": np.geomspace(32.7, 11025, 216),
    "mel": 700 * (10 ** (np.linspace(0, np.log10(1 + 11025 / 700), 128)) - 1),
    "cqt": 32.7 * 2 ** (np.arange(84) / 12),
}
BAD = {
    "Rock & <b>roll</b>": "peak of -71.2 dBFS is below -60",
    "blues.00054": "unreadable: no audio frames",
}
SLICES = 5


def make_manifest(folder: Path, genres=GENRES, tracks_per_genre=40, clip_seconds=10.0) -> pd.DataFrame:
    """Write manifest.parquet and quarantine.csv; two tracks of `BAD` are quarantined."""
    rows = [
        (f"{genre}.{i:05d}", genre, f"{genre} artist {i // 4}", "ok", "")
        for genre in genres
        for i in range(tracks_per_genre)
    ]
    rows += [(track_id, genres[0], None, "quarantined", reason) for track_id, reason in BAD.items()]
    table = pd.DataFrame(rows, columns=["track_id", "genre", "artist", "status", "reason"])
    table["duration"] = np.where(table["status"] == "ok", clip_seconds, 0.0)
    table["path"] = table["track_id"] + ".wav"
    folder.mkdir(parents=True, exist_ok=True)
    table = table.sort_values("track_id", ignore_index=True)
    table.to_parquet(folder / "manifest.parquet", index=False)
    bad = table[table["status"] == "quarantined"]
    bad[["track_id", "genre", "path", "reason"]].to_csv(folder / "quarantine.csv", index=False)
    return table


def make_frames(folder: Path, manifest: pd.DataFrame, representation: str, bins=None, per_genre=1) -> Path:
    """Write a frame store of the first `per_genre` tracks of each genre: notes of a chord, and a beat."""
    hz = HZ[representation] if bins is None else None
    n_bins, fps, seconds = len(bins or hz), 22050 / 512, 10.0
    n_frames = int(seconds * fps) + 1
    ok = manifest[manifest["status"] == "ok"].groupby("genre").head(per_genre)
    rng, blocks = np.random.default_rng(7), []
    time = np.arange(n_frames) / fps
    for number in range(len(ok)):
        x = -62.0 - 18 * np.linspace(0, 1, n_bins) + rng.normal(0, 4, (n_frames, n_bins))
        for note in range(6):
            wobble = np.sin(time * (1 + number / 3) + note)
            distance = np.arange(n_bins) / n_bins - 0.1 - 0.12 * note - 0.04 * wobble[:, None]
            x += (48 - 5 * note) * np.exp(-(distance**2) / 0.0005)
        x += 22 * np.exp(-((time * (1 + number / 4) % 1) * 9))[:, None]
        blocks.append(np.clip(x, -80, 0).astype(np.float16))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "frames.npy", np.concatenate(blocks))
    index = {"track_id": ok["track_id"], "first_frame": np.arange(len(ok)) * n_frames, "n_frames": n_frames}
    pd.DataFrame({**index, "duration": seconds}).to_parquet(folder / "frames.parquet", index=False)
    spec = {
        "representation": representation,
        "n_bins": n_bins,
        "frames_per_second": fps,
        "n_tracks": len(ok),
        "total_frames": len(ok) * n_frames,
        "dtype": "float16",
        "offset": 0.0,
        "step": 1.0,
        "floor": -80.0,
        "unit": "feature" if bins else "dB",
        "bins": bins or [float(f) for f in hz],
        "params": {},
        "sr": 22050,
    }
    (folder / "frames.json").write_text(json.dumps(spec))
    return folder / "frames.npy"


def make_run(folder: Path, choice: dict, manifest: pd.DataFrame, skill=2.0, share=0.1, epochs=18) -> Path:
    """Write a run's folder; a higher skill gives a higher accuracy."""
    rng = np.random.default_rng([choice["seed"], *f"{choice}".encode()])
    ok = manifest[manifest["status"] == "ok"]
    genres = sorted(ok["genre"].unique())
    count = max(1, round(share * len(ok) / len(genres)))
    parts = {"validation": ok.groupby("genre").head(count), "test": ok.groupby("genre").tail(count)}
    predictions = pd.concat(_predict(tracks, part, genres, skill, rng) for part, tracks in parts.items())
    network = choice["model"] != "svm_rbf"
    n_parameters = {"n_parameters": 370_122 if network else None}
    split = _split(ok, parts, leaky=choice["split"] == "leaky_slices")
    metrics = choice | n_parameters | evaluate_predictions(predictions, split, "mean")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2))
    predictions.to_parquet(folder / "predictions.parquet", index=False)
    _history(epochs if network else 1, skill, rng).to_csv(folder / "history.csv", index=False)
    seconds = 90.0 * skill + rng.random()
    layers = [{"name": "dense", "kind": "Dense", "output_shape": [len(genres)], **n_parameters}]
    with zipfile.ZipFile(folder / "bundle.zip", "w") as bundle:
        bundle.writestr("bundle.json", json.dumps({"layers": layers}))
    timing = {"seconds": seconds, "slices_per_second": 4210.4, "peak_memory_mb": 912.7}
    (folder / "timing.json").write_text(json.dumps(timing))
    return folder


def _split(tracks: pd.DataFrame, parts: dict[str, pd.DataFrame], leaky: bool) -> pd.DataFrame:
    """Return a split with one row per track; in a leaky one, all tracks train too."""
    split = tracks[["track_id"]].assign(part="train")
    for part, members in parts.items():
        split.loc[members.index, "part"] = part
    return pd.concat([split, tracks[["track_id"]].assign(part="train")]) if leaky else split


def _predict(tracks, part, genres, skill, rng) -> pd.DataFrame:
    slices = tracks.loc[tracks.index.repeat(SLICES)]
    logits = rng.normal(0, 1.2, (len(slices), len(genres)))
    logits += np.repeat(rng.normal(0, 0.7, (len(tracks), len(genres))), SLICES, axis=0)
    logits[np.arange(len(slices)), [genres.index(g) for g in slices["genre"]]] += skill
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    table = slices[["track_id", "genre", "artist"]].reset_index(drop=True)
    table = table.assign(slice=np.tile(np.arange(SLICES), len(tracks)), part=part)
    table["predicted"] = [genres[i] for i in p.argmax(axis=1)]
    return table.join(pd.DataFrame(p.astype(np.float32), columns=[f"p_{g}" for g in genres]))


def _history(epochs: int, skill: float, rng: np.random.Generator) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    fall = np.exp(-epoch / 5)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "loss": 0.15 + 2.1 * fall,
            "accuracy": 0.97 - 0.85 * fall,
            "val_loss": 1.9 / skill + 1.5 * fall + rng.normal(0, 0.04, epochs),
            "val_accuracy": np.clip(0.25 + 0.22 * skill - 0.7 * fall + rng.normal(0, 0.015, epochs), 0, 1),
            "learning_rate": 0.001,
        }
    )


def choice(**changes) -> dict:
    """Return the choice that identifies a run: the first of the matrix, with changes."""
    first = {"dataset": "synthetic", "representation": "mel", "model": "crnn", "split": "stratified_8_1_1"}
    return {**first, "fold": 0, "seed": 42, **changes}


def make_audits(folder: Path) -> list[str]:
    """Write the tables of both audits and return their flags; each has rows without numbers."""
    rows = [
        {
            "dataset": "synthetic",
            "level": level,
            "model": model,
            "mistake": mistake,
            "n_tracks": 135,
            "note": "",
        }
        | {"points": worth, "points_low": worth - 4, "points_high": worth + 4}
        | {"accuracy": 70.0, "leaky_accuracy": 70.0 + worth}
        for level in ("track", "slice")
        for model, worth in (("svm", 8.5), ("cnn", -1.5))
        for mistake in ("slices of a track on both sides", "artists on both sides")
    ]
    rows += [rows[0] | dict.fromkeys(("points", "n_tracks"), None) | {"mistake": "faults", "note": "no list"}]
    pd.DataFrame(rows).to_csv(folder / "leakage_audit.csv", index=False)
    variants = [f"{variant}{end}" for variant in VARIANTS for end in ("", "_low", "_high", "_n_test_tracks")]
    figures = dict(zip(variants, (82.0, 75.0, 88.0, 300, 61.0, 50.0, 71.0, 150), strict=True))
    study = {"project": "Somebody (2018)", "model": "cnn_370k", "level": "slice", "measured_on": "GTZAN"}
    study |= {"dataset": "synthetic", "corrected_on": "artist_disjoint, artists parted", "published": 91.4}
    study |= {"published_from": None, "faults": "slices leak", "differs": "ten genres", "note": ""}
    left_out = dict.fromkeys(variants) | {"note": "as published is left out: no weights"}
    studies = [
        study | figures | {"note": "LEAKY: slices of a track on both sides"},
        study | figures | {"published": None, "model": "time", "level": "track"},
        study | left_out | {"published_from": 68.0, "published": 70.0, "model": "mlp_85"},
    ]
    pd.DataFrame(studies).to_csv(folder / "as_published.csv", index=False)
    return [f"--audit={name}={folder / name}.csv" for name in ("leakage_audit", "as_published")]


ROOT = Path(__file__).resolve().parents[2]


def write_report(script, out: Path, runs, manifests, frames=(), more=()) -> Path:
    """Call the stage's script; `manifests` and `frames` are pairs of a data set's name and a path."""
    files = {"leaderboard": "leaderboard.csv", "markdown": "leaderboard.md"}
    files |= {"comparisons": "comparisons.csv", "html": "report.html"}
    files |= {"significance": "significance.html", "data": "data.html"}
    script.main(
        [
            f"--params={ROOT / 'params.yaml'}",
            "--runs",
            *map(str, runs),
            *(f"--dataset={name}={path}" for name, path in manifests),
            *(f"--frames={name}={path}" for name, path in frames),
            "--date=2026-01-31",
            *more,
            *(f"--{flag}={out / name}" for flag, name in files.items()),
        ]
    )
    return out


@pytest.fixture(scope="session")
def report_script():
    """The stage's script as a module."""
    spec = importlib.util.spec_from_file_location(
        "report_script", ROOT / "workflow" / "scripts" / "report.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The functions of this file that write inputs."""
    return SimpleNamespace(
        manifest=make_manifest, frames=make_frames, run=make_run, choice=choice, report=write_report
    )


@pytest.fixture(scope="session")
def small_report(report_script, tmp_path_factory) -> Path:
    """Report two models, one of two seeds; other splits, one LEAKY; and a data set without frames."""
    folder = tmp_path_factory.mktemp("small")
    manifest = make_manifest(folder / "data", GENRES[:3], tracks_per_genre=10)
    features = [f"feature {i}" for i in range(30)]
    frames = [
        make_frames(folder / "mel", manifest, "mel", per_genre=10),
        make_frames(folder / "handcrafted", manifest, "handcrafted", bins=features),
    ]
    choices = [
        choice(),
        choice(model="svm_rbf"),
        choice(seed=43),
        choice(model="svm_rbf", split="artist_disjoint"),
        choice(split="leaky_slices"),
        choice(dataset="gtzan", model="lstm"),
    ]
    runs = [make_run(folder / str(i), which, manifest, epochs=3) for i, which in enumerate(choices)]
    path = folder / "data" / "manifest.parquet"
    manifests = [("synthetic", path), ("gtzan", path)]
    return write_report(report_script, folder, runs, manifests, [("synthetic", path) for path in frames])


@pytest.fixture(scope="session")
def full_report(report_script, tmp_path_factory) -> Path:
    """Report twelve runs (3 representations x 4 models) of ten genres, and both audits."""
    folder = tmp_path_factory.mktemp("full")
    manifest = make_manifest(folder / "data")
    ease = {"stft": 0.7, "mel": 1.0, "cqt": 0.85}
    runs = [
        make_run(folder / r / model, choice(representation=r, model=model), manifest, skill=skill * ease[r])
        for r in HZ
        for model, skill in SKILL.items()
    ]
    frames = [("synthetic", make_frames(folder / "data" / r, manifest, r)) for r in HZ]
    manifests = [("synthetic", folder / "data" / "manifest.parquet")]
    return write_report(report_script, folder, runs, manifests, frames, make_audits(folder))
