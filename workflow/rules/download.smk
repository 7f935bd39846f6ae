"""Input: nothing but a data set's name; the audio goes to the user's cache.
Output: the manifest of its tracks, and those set aside with the reason.
"""


rule download:
    """Fetch or make a data set, decode every track once, quarantine the unusable ones."""
    output:
        manifest="data/{dataset}/manifest.parquet",
        quarantine="data/{dataset}/quarantine.csv",
    log:
        "logs/download/{dataset}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    threads: workflow.cores
    params:
        values=values("download"),
        code=code("download"),
        source=lambda wildcards: source_state(PARAMS, wildcards.dataset),
    shell:
        "python workflow/scripts/download.py --params params.yaml --dataset {wildcards.dataset}"
        " --manifest {output.manifest} --quarantine {output.quarantine} --jobs {threads}"
        " 2>&1 | tee {log}"
