"""Input: the list of the tracks of a data set.
Output: what decoding the tracks of one shard found.
"""


rule decode_shard:
    """Decode the tracks of one shard once; `download` joins the shards."""
    input:
        tracks=rules.list_tracks.output.tracks,
    output:
        probes=temp(f"{DATASET}/{SHARD}/probes.parquet"),
    log:
        f"logs/decode_shard/{{dataset}}/{SHARD}.log",
    cache: True
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=memory(1000, per_thread=500),
        runtime=360,
    params:
        values=values("decode_shard"),
        code=code("decode_shard"),
    message:
        "decode shard {wildcards.shard} of {wildcards.n_shards} of {wildcards.dataset}"
    shell:
        f"python {SCRIPTS}/decode_shard.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset} --tracks {input.tracks} --probes {output.probes}"
        " --shard {wildcards.shard} --n-shards {wildcards.n_shards} --jobs {threads}"
        " 2>&1 | tee {log}"
