"""The page of what `mutants.py` found: docs/mutation.md."""

from __future__ import annotations

import pandas as pd
from scipy.stats import binomtest

from genredag.evaluation.markdown import markdown_table

TEXT = """# Do the tests notice a bug?

Made by `benchmarks/mutants.py report`; its head says how to run it.

[cosmic-ray](https://cosmic-ray.readthedocs.io) changes one operator, number, condition, loop or decorator of
a module, and a test of the module should fail. Of each package, places in the code were drawn at random
(seed {seed}), and a mutant at each. An equivalent mutant behaves as the code does, so no test can fail.

{summary}

The last column is a share with its 95 % interval. It is that of the whole package only if no tests were
written for the survivors since the sample was drawn, as in the nightly runs. They were for seed 0, so it is
there a property of the sample. Results of earlier code stay if the mutated line did not change.

## Survivors and equivalent mutants

{survivors}
"""


def page(table: pd.DataFrame, counts: dict[str, tuple[int, int]], seed: int) -> str:
    """Return the page of results as Markdown; `counts` are the mutants of each package, and those drawn."""
    rows = [cells(package, table[table["package"] == package], *own) for package, own in counts.items()]
    columns = ["package", "mutants", "drawn", "tested", "killed", "equivalent", "survivors"]
    summary = markdown_table(rows, [*columns, "killed, without equivalent ones"], "lrrrrrrl")
    alive = table[table["state"] != "killed"]
    listed = [
        (row.module, f"`{row.before}`", f"`{row.after}`", row.state, row.reason) for row in alive.itertuples()
    ]
    survivors = markdown_table(listed, ["module", "code", "mutant", "verdict", "reason"], "lllll")
    return TEXT.format(seed=seed, summary=summary, survivors=survivors)


def cells(package: str, table: pd.DataFrame, n_mutants: int, n_drawn: int) -> list[str]:
    """Return a package's row. Of an unfinished sample the slow mutants are missing, so it has no rate."""
    n = table["state"].value_counts()
    killed, equivalent, survivors = (int(n.get(name, 0)) for name in ("killed", "equivalent", "survivor"))
    rate = "not finished"
    if len(table) == n_drawn and killed + survivors:
        test = binomtest(killed, killed + survivors)
        low, high = test.proportion_ci(method="wilson")
        rate = f"{test.statistic:.0%} ({100 * low:.0f} to {100 * high:.0f})"
    return [package, *map(str, (n_mutants, n_drawn, len(table), killed, equivalent, survivors)), rate]
