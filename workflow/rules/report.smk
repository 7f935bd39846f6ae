"""Input: what every run of the matrix left behind, the manifests, the frame stores (for examples), audits.
Output: the leaderboard (CSV and Markdown), the paired tests, and one page that opens offline; two sections of
it alone, for Snakemake's own report.
"""


rule report:
    """Rank the runs and write the page."""
    input:
        metrics=combinations(
            "results/{dataset}/{representation}/{model}/{split}/{seed}/metrics.json"
        ),
        predictions=combinations(
            "results/{dataset}/{representation}/{model}/{split}/{seed}/predictions.parquet"
        ),
        history=combinations(
            "results/{dataset}/{representation}/{model}/{split}/{seed}/history.csv"
        ),
        timing=combinations(
            "results/{dataset}/{representation}/{model}/{split}/{seed}/timing.json"
        ),
        bundles=combinations(
            "results/{dataset}/{representation}/{model}/{split}/{seed}/bundle.zip"
        ),
        manifests=combinations("data/{dataset}/manifest.parquet"),
        quarantine=combinations("data/{dataset}/quarantine.csv"),
        frames=combinations("data/{dataset}/{representation}/frames.npy"),
        frame_index=combinations("data/{dataset}/{representation}/frames.parquet"),
        frame_spec=combinations("data/{dataset}/{representation}/frames.json"),
        near_duplicates=combinations(
            "data/{dataset}/{representation}/{split}/{seed}/near_duplicates.csv"
        ),
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
        "../../envs/genredag.yaml"
    params:
        values=values("report"),
        code=code("report"),
        runs=[
            str(Path(path).parent)
            for path in combinations(
                "results/{dataset}/{representation}/{model}/{split}/{seed}/metrics.json"
            )
        ],
        datasets=combinations("--dataset {dataset}=data/{dataset}/manifest.parquet"),
        frames=combinations(
            "--frames {dataset}=data/{dataset}/{representation}/frames.npy"
        ),
        near_duplicates=combinations(
            "--near-duplicates {dataset}=data/{dataset}/{representation}/{split}/{seed}/near_duplicates.csv"
        ),
        audits=[f"--audit {name}=results/{name}.csv" for name in PARAMS.report.audits],
    shell:
        "python workflow/scripts/report.py --params params.yaml --runs {params.runs} {params.datasets} {params.frames}"
        " {params.near_duplicates} {params.audits}"
        " --leaderboard {output.leaderboard} --markdown {output.markdown}"
        " --comparisons {output.comparisons} --html {output.html}"
        " --significance {output.significance} --data {output.data}"
        " 2>&1 | tee {log}"
