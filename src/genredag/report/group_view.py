"""Template data for the entries of one data set and split: which of them are distinguishable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import TYPE_CHECKING

from genredag.evaluation.comparisons import groups
from genredag.params.groups.reading import parse_group, value_at
from genredag.params.groups.splits import Split, promise
from genredag.report.leaderboard import Entry, comparisons

if TYPE_CHECKING:
    from genredag.params.tree import Tree


def group_view(
    entries: Sequence[Entry], views: Mapping[str, Mapping[str, object]], tree: Tree
) -> dict[str, object]:
    """Return which entries are distinguishable, and the bars that join entries that are not.

    Parameters
    ----------
    entries
        Entries of one data set and split, best first.
    views
        What `genredag.report.entry_view.entry_view` returned for each entry, by anchor.
    tree
        The values of ``params.yaml``.
    """
    pairs = comparisons(entries)
    labels = [entry.label for entry in entries]
    bars = groups(pairs, labels)
    by_label = dict(zip(labels, (views[entry.anchor] for entry in entries), strict=True))
    same = pairs[~pairs["distinguishable"].astype(bool)]
    equal = {*same.loc[same["a"] == labels[0], "b"], *same.loc[same["b"] == labels[0], "a"]}
    place = f"splits.{entries[0].choice['split']}"
    protocol = parse_group(value_at(tree, place, "params.yaml"), place, Split, "params.yaml")
    return {
        **{key: entries[0].choice[key] for key in ("dataset", "split")},
        "promise": promise(protocol),
        "leaky": entries[0].leaky,
        "n_seeds": min(len({run.choice["seed"] for run in entry.runs}) for entry in entries),
        "n_classes": len(entries[0].runs[0].genres),
        "entries": [{**view, "bars": [label in bar for bar in bars]} for label, view in by_label.items()],
        "n_bars": len(bars),
        "equals": [by_label[label] for label in labels if label in equal],
        "pairs": pairs.to_dict("records"),
        "n_not_compared": comb(len(entries), 2) - len(pairs),
    }
