"""Input: only the name of a data set; the audio goes to the user's cache.
Output: the manifest of its tracks, and the quarantined ones with the reason.
"""


rule download:
    """Download or generate a data set, decode every track once, quarantine the unusable ones."""
    output:
        manifest=f"{DATASET}/manifest.parquet",
        quarantine=f"{DATASET}/quarantine.csv",
    log:
        "logs/download/{dataset}.log",
    cache: True
    conda:
        ENVIRONMENT
    threads: workflow.cores
    resources:
        mem_mb=memory(1000, per_thread=500),
        runtime=360,
    params:
        values=values("download"),
        code=code("download"),
        source=lambda wildcards: source_state(
            PARAMS.entry("datasets", wildcards.dataset)
        ),
    message:
        "download {wildcards.dataset}"
    shell:
        f"python {SCRIPTS}/download.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset}"
        " --manifest {output.manifest} --quarantine {output.quarantine} --jobs {threads}"
        " 2>&1 | tee {log}"
