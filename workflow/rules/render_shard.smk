"""Input: the manifest of a data set.
Output: the frame store of one shard of its tracks in one representation.
"""


rule render_shard:
    """Render the tracks of one shard once; `spectrograms` joins the shards."""
    input:
        manifest=rules.download.output.manifest,
    output:
        frames=temp(f"{FRAMES}/{SHARD}/frames.npy"),
        index=temp(f"{FRAMES}/{SHARD}/frames.parquet"),
        spec=temp(f"{FRAMES}/{SHARD}/frames.json"),
    log:
        f"logs/render_shard/{{dataset}}/{{representation}}/{SHARD}.log",
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=memory(1000, per_thread=1000),
        runtime=360,
    params:
        values=values("render_shard"),
        code=code("render_shard"),
        encoder=lambda wildcards: encoder_state(PARAMS, wildcards.representation),
    message:
        "{wildcards.representation} of shard {wildcards.shard} of {wildcards.n_shards} of {wildcards.dataset}"
    shell:
        f"python {SCRIPTS}/render_shard.py --params {PARAMS_FILE}"
        " --representation {wildcards.representation}"
        " --manifest {input.manifest} --frames {output.frames}"
        " --shard {wildcards.shard} --n-shards {wildcards.n_shards} --jobs {threads}"
        " 2>&1 | tee {log}"
