"""Input: the manifest of a data set.
Output: its frame store in one representation (values, index and specification).
"""


rule spectrograms:
    """Render every usable track once; slices of any length are cut from these frames."""
    input:
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
    threads: max(1, workflow.cores // len(MATRIX["representation"]))
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
        " 2>&1 | tee {log}"
