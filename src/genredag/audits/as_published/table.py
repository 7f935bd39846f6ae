"""Published accuracies next to ours, as published and corrected, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from genredag.audits.as_published.studies import VARIANTS
from genredag.evaluation.intervals import ENDS, Interval, accuracy_interval, cluster_names
from genredag.evaluation.markdown import markdown_table
from genredag.evaluation.predictions import Decision, track_predictions
from genredag.params.groups.reading import parse_group
from genredag.params.groups.splits import keeps_artists_whole

if TYPE_CHECKING:
    from genredag.audits.as_published.studies import Study
    from genredag.params.schema import Params

LEFT_OUT = "left_out"
_DECISION = "evaluate.track_decision"
COUNTS = tuple(f"{variant}_{count}" for variant in VARIANTS for count in ("n_test_tracks", "n_seeds"))
COLUMNS = (
    *("study", "project", "model", "level", "published", "published_from", "published_spread", "measured_on"),
    *("dataset", "corrected_on"),
    *(f"{variant}{end}" for variant in VARIANTS for end in (*ENDS, "_n_test_tracks", "_n_seeds")),
    *("faults", "differs", "note"),
)


def left_out(reason: str) -> pd.DataFrame:
    """Return the table that replaces the predictions of a study that can't be run: it holds the reason."""
    return pd.DataFrame({LEFT_OUT: [reason]})


def read_runs(files: Sequence[Path]) -> dict[tuple[str, str], pd.DataFrame]:
    """Read ``<study>/<variant>/<seed>.parquet``; pool the seeds of each study and variant."""
    runs: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for file in files:
        study, variant, _ = file.parts[-3:]
        runs.setdefault((study, variant), []).append(pd.read_parquet(file))
    return {key: pd.concat(tables, ignore_index=True) for key, tables in runs.items()}


def published_table(
    runs: Mapping[tuple[str, str], pd.DataFrame], studies: Mapping[str, Study], params: Params
) -> pd.DataFrame:
    """Return a row for each study.

    Parameters
    ----------
    runs
        What `read_runs` returned.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`; accuracies are in percent. If a range was published, `published_from` is its lower end and
        `published` its upper end.
    """
    rows = []
    for name, study in studies.items():
        value = study.values.get(_DECISION, params.evaluate.track_decision)
        decision: Decision = parse_group(value, _DECISION, Decision, "studies.yaml")
        row: dict[str, object] = {
            "study": name,
            "dataset": params.as_published.dataset,
            "corrected_on": corrected_on(params),
            "published_spread": study.spread,
        }
        row["published_from"], row["published"] = study.published_range
        row |= {key: getattr(study, key) for key in ("project", "model", "level", "measured_on")}
        row |= {key: "; ".join(getattr(study, key)) for key in ("faults", "differs")}
        own = {variant: runs[name, variant] for variant in VARIANTS}
        for variant, predictions in own.items():
            if LEFT_OUT not in predictions:
                row |= _figures(variant, predictions, study.level, decision, params.report.n_resamples)
        reasons = {v: p[LEFT_OUT].dropna() for v, p in own.items() if LEFT_OUT in p}
        notes = [f"{v.replace('_', ' ')} is left out: {r.iloc[0]}" for v, r in reasons.items()]
        rows.append(row | {"note": "; ".join(filter(None, [study.warning("as_published"), *notes]))})
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COUNTS, "Int64"))


def corrected_on(params: Params) -> str:
    """Return the name of the corrected split, and whether it keeps each artist in one part."""
    name = params.as_published.corrected_split
    parted = keeps_artists_whole(params.splits[name])
    return f"{name}, artists {'parted' if parted else 'not parted'}"


def _figures(
    variant: str, predictions: pd.DataFrame, level: str, decision: Decision, n_resamples: int
) -> dict[str, float]:
    test = predictions[predictions["part"] == "test"]
    if level == "track":
        # Each seed has its own split, so slices are combined within a seed.
        test = pd.concat([track_predictions(own, decision) for _, own in test.groupby("seed")])
    correct = (test["genre"] == test["predicted"]).to_numpy()
    interval = accuracy_interval(correct, cluster_names(test), n_resamples=n_resamples, seed=0)
    return interval.columns(variant) | {
        f"{variant}_n_test_tracks": test["track_id"].nunique(),
        f"{variant}_n_seeds": predictions["seed"].nunique(),
    }


def published_markdown(table: pd.DataFrame) -> str:
    """Return the table as a Markdown page, followed by faults and differences."""
    # In a table that was read from a file, counts are floats if a study was left out.
    table = table.astype(dict.fromkeys(COUNTS, "Int64"))
    second = f"on {' or '.join(table['corrected_on'].unique())}"
    lines = [
        "# As published, and corrected",
        "",
        "Accuracy in percent, of slices or of tracks as the project reported it, with 95 % intervals.",
        "As published: the project's own protocol on our data set, marked LEAKY where it leaks. Next to it:",
        f"the same model {second}, with its epoch chosen on the validation part. How to read it:",
        "docs/leakage.md.",
        "",
    ]
    rows = table.astype(object).to_dict(orient="records")
    header = ["project", "model", "of", "published", "as published", "test tracks", second, "test tracks"]
    lines.append(markdown_table(map(_cells, rows), header, "lllrrrrr"))
    for row in rows:
        lines += ["", f"**{row['project']}, {row['model']}** (measured on {row['measured_on']})."]
        for key, word in (("faults", "Faults"), ("differs", "Our runs differ"), ("note", "Note")):
            lines += [f"{word}: {row[key]}."] if row[key] else []
    return "\n".join(lines) + "\n"


def _cells(row: dict) -> list[str]:
    cells = [row["project"], row["model"], f"{row['level']}s", _published(row)]
    for variant in VARIANTS:
        count = row[f"{variant}_n_test_tracks"]
        cells += [_ours(row, variant), "" if pd.isna(count) else str(count)]
    return cells


def _published(row: dict) -> str:
    if pd.isna(row["published"]):
        return ""
    start = "" if pd.isna(row["published_from"]) else f"{row['published_from']:.1f} to "
    spread = "" if pd.isna(row["published_spread"]) else f" ± {row['published_spread']:.1f}"
    return f"{start}{row['published']:.1f}{spread}"


def _ours(row: dict, variant: str) -> str:
    if pd.isna(row[variant]):
        return "left out"
    mark = "LEAKY " if variant == "as_published" and row["note"].startswith("LEAKY") else ""
    return mark + Interval.of_columns(row, variant).text()
