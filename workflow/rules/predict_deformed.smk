"""Input: a bundle, the audio of its test tracks, and how that was rendered and sliced.
Output: predictions of the test slices, undeformed and under every deformation.
"""


rule predict_deformed:
    """Deform the test tracks in memory and predict them with a trained model."""
    input:
        manifest=rules.download.output.manifest,
        frames=rules.train.input.frames,
        frame_index=rules.train.input.frame_index,
        frame_spec=rules.train.input.frame_spec,
        slices=rules.train.input.slices,
        slice_spec=rules.train.input.slice_spec,
        split=rules.train.input.split,
        bundle=rules.train.output.bundle,
    output:
        f"results/robustness/{CHOICE}.parquet",
    log:
        f"logs/predict_deformed/{CHOICE}.log",
    cache: True
    conda:
        ENVIRONMENT
    threads: max(1, workflow.cores // len(PARAMS.robustness.model))
    resources:
        mem_mb=memory(2000, per_thread=1000, pretrained=6000),
        runtime=240,
    params:
        values=values("predict_deformed"),
        code=code("predict_deformed"),
        fold=fold,
    message:
        "predict altered test tracks with {wildcards.model} on {wildcards.representation} of {wildcards.dataset}, {wildcards.split}{wildcards.fold}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/predict_deformed.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset}"
        " --representation {wildcards.representation} --model {wildcards.model}"
        " --split-name {wildcards.split} --fold {params.fold} --seed {wildcards.seed}"
        " --manifest {input.manifest} --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --bundle {input.bundle} --predictions {output} --jobs {threads}"
        " 2>&1 | tee {log}"
