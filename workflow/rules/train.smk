"""Input: frames, slices, a split and embeddings.
Output: a bundle (all that prediction needs), the training history, and the time taken.
"""


rule train:
    """Train one model on the training slices, stopping early on validation."""
    input:
        frames=rules.slices.input.frames,
        frame_index=rules.slices.input.index,
        frame_spec=rules.slices.input.spec,
        slices=rules.slices.output.slices,
        slice_spec=rules.slices.output.spec,
        split=rules.split.output.split,
        embeddings=rules.embed.output.embeddings,
    output:
        bundle=f"{RUN}/bundle.zip",
        history=f"{RUN}/history.csv",
        timing=f"{RUN}/timing.json",
    log:
        f"logs/train/{CHOICE}.log",
    cache: True
    priority: longest_first
    conda:
        ENVIRONMENT
    threads: PARAMS.train.threads
    resources:
        mem_mb=memory(3000, pretrained=6000),
        runtime=720,
    params:
        values=values("train"),
        code=code("train"),
        weights=lambda wildcards: weights_state(PARAMS, wildcards.model),
    message:
        "train {wildcards.model} on {wildcards.representation} of {wildcards.dataset}, {wildcards.split}{wildcards.fold}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/train.py --params {PARAMS_FILE}"
        " --model {wildcards.model} --seed {wildcards.seed}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --embeddings {input.embeddings}"
        " --bundle {output.bundle} --history {output.history} --timing {output.timing}"
        " 2>&1 | tee {log}"
