"""Input: only the name of a data set; the audio goes to the user's cache. In shards: what was decoded in each.
Output: the manifest of its tracks, and the quarantined ones with the reason.
"""


rule download:
    """Download or generate a data set, decode every track once, quarantine the unusable ones."""
    input:
        unpack(
            shards(
                tracks=rules.list_tracks.output.tracks,
                probes=rules.decode_shard.output.probes,
            )
        ),
    output:
        manifest=f"{DATASET}/manifest.parquet",
        quarantine=f"{DATASET}/quarantine.csv",
    log:
        "logs/download/{dataset}.log",
    cache: True
    conda:
        ENVIRONMENT
    threads: workflow.cores if SHARDS == 1 else 1
    resources:
        mem_mb=memory(1000 if SHARDS == 1 else 4000, per_thread=500),
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
        + joined(" --tracks {input.tracks} --probes {input.probes}")
        + " 2>&1 | tee {log}"
