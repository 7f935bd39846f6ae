"""Input: the manifest of a data set. In shards: their frame stores.
Output: its frame store in one representation (values, index and specification).
"""


rule spectrograms:
    """Render every usable track once; slices of any length are cut from these frames."""
    input:
        unpack(
            shards(
                parts=rules.render_shard.output.frames,
                indices=rules.render_shard.output.index,
                specs=rules.render_shard.output.spec,
            )
        ),
        manifest=rules.download.output.manifest,
    output:
        frames=f"{FRAMES}/frames.npy",
        index=f"{FRAMES}/frames.parquet",
        spec=f"{FRAMES}/frames.json",
    log:
        "logs/spectrograms/{dataset}/{representation}.log",
    cache: True
    priority: DATA_FIRST
    conda:
        ENVIRONMENT
    threads: max(1, workflow.cores // len(MATRIX["representation"])) if SHARDS == 1 else 1
    resources:
        mem_mb=memory(1000, per_thread=1000),
        runtime=120,
    params:
        values=values("spectrograms"),
        code=code("spectrograms"),
        encoder=lambda wildcards: encoder_state(PARAMS, wildcards.representation),
    message:
        "{wildcards.representation} of {wildcards.dataset}"
    shell:
        f"python {SCRIPTS}/spectrograms.py --params {PARAMS_FILE}"
        " --representation {wildcards.representation}"
        " --manifest {input.manifest} --frames {output.frames} --jobs {threads}"
        + joined(" --parts {input.parts}")
        + " 2>&1 | tee {log}"
