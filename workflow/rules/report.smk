"""Input: what every run of the matrix left behind, the manifests and the frame stores (for examples).
Output: the leaderboard (CSV and Markdown), the paired tests, and one page that opens offline.
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
        manifests=combinations("data/{dataset}/manifest.parquet"),
        quarantine=combinations("data/{dataset}/quarantine.csv"),
        frames=combinations("data/{dataset}/{representation}/frames.npy"),
        frame_index=combinations("data/{dataset}/{representation}/frames.parquet"),
        frame_spec=combinations("data/{dataset}/{representation}/frames.json"),
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
    shell:
        "python workflow/scripts/report.py --params params.yaml --runs {params.runs} {params.datasets} {params.frames}"
        " --leaderboard {output.leaderboard} --markdown {output.markdown}"
        " --comparisons {output.comparisons} --html {output.html}"
        " 2>&1 | tee {log}"
