"""Input: only the name of a data set; the audio goes to the user's cache.
Output: the list of its tracks, for the shards that decode them.
"""


rule list_tracks:
    """Download or generate a data set and list its tracks; only if they are in shards."""
    output:
        tracks=temp(f"{DATASET}/shards/tracks.parquet"),
    log:
        "logs/list_tracks/{dataset}.log",
    cache: True
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=memory(1000, per_thread=500),
        runtime=360,
    params:
        values=values("list_tracks"),
        code=code("list_tracks"),
        source=lambda wildcards: source_state(
            PARAMS.entry("datasets", wildcards.dataset)
        ),
    message:
        "list {wildcards.dataset}"
    shell:
        f"python {SCRIPTS}/list_tracks.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset} --tracks {output.tracks} --jobs {threads}"
        " 2>&1 | tee {log}"
