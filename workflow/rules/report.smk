"""Input: the results of every run of the matrix, the manifests, the frame stores (for examples), audits.
Output: the leaderboard (CSV and Markdown), the paired tests, and one page that opens offline; two sections of
that page also as separate files, for Snakemake's own report.
"""


rule report:
    """Rank the runs and write the page."""
    input:
        metrics=combinations(rules.evaluate.output.metrics),
        predictions=combinations(rules.evaluate.output.predictions),
        history=combinations(rules.train.output.history),
        timing=combinations(rules.train.output.timing),
        bundles=combinations(rules.train.output.bundle),
        manifests=combinations(rules.download.output.manifest),
        quarantine=combinations(rules.download.output.quarantine),
        frames=combinations(rules.spectrograms.output.frames),
        frame_index=combinations(rules.spectrograms.output.index),
        frame_spec=combinations(rules.spectrograms.output.spec),
        near_duplicates=combinations(rules.split.output.near_duplicates),
        audits=[f"results/{name}.csv" for name in PARAMS.report.audits],
    output:
        leaderboard=report(
            "results/leaderboard.csv",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
        ),
        markdown="results/leaderboard.md",
        comparisons=report(
            "results/comparisons.csv",
            caption="../report/comparisons.rst",
            category="Leaderboard",
        ),
        html=report(
            "results/report.html",
            caption="../report/report.rst",
            category="Leaderboard",
        ),
        significance=report(
            "results/significance.html",
            caption="../report/significance.rst",
            category="Significance",
        ),
        data=report(
            "results/data.html",
            caption="../report/data.rst",
            category="Data",
        ),
    log:
        "logs/report.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        values=values("report"),
        code=code("report"),
        # Taken from the inputs, whose paths a storage changes.
        runs=lambda wildcards, input: [str(Path(path).parent) for path in input.metrics],
        datasets=lambda wildcards, input: [
            f"--dataset {pair}" for pair in named(input.manifests, 1)
        ],
        frames=lambda wildcards, input: [
            f"--frames {pair}" for pair in named(input.frames, 2)
        ],
        near_duplicates=lambda wildcards, input: [
            f"--near-duplicates {pair}" for pair in named(input.near_duplicates, 4)
        ],
        audits=lambda wildcards, input: [
            f"--audit {Path(path).stem}={path}" for path in input.audits
        ],
    message:
        "report on all results"
    shell:
        f"python {SCRIPTS}/report.py --params {PARAMS_FILE}"
        " --runs {params.runs} {params.datasets} {params.frames}"
        " {params.near_duplicates} {params.audits}"
        " --leaderboard {output.leaderboard} --markdown {output.markdown}"
        " --comparisons {output.comparisons} --html {output.html}"
        " --significance {output.significance} --data {output.data}"
        " 2>&1 | tee {log}"
