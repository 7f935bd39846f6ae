"""Input: a bundle and the slices that it was not trained on.
Output: predictions of slices and of tracks (kept, so that any metric can be recomputed), metrics and plots.
"""


rule evaluate:
    """Predict validation and test slices; score slices and whole tracks."""
    input:
        frames=rules.train.input.frames,
        frame_index=rules.train.input.frame_index,
        frame_spec=rules.train.input.frame_spec,
        slices=rules.train.input.slices,
        slice_spec=rules.train.input.slice_spec,
        split=rules.train.input.split,
        bundle=rules.train.output.bundle,
        history=rules.train.output.history,
    output:
        predictions="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/predictions.parquet",
        track_predictions="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/track_predictions.parquet",
        metrics="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/metrics.json",
        confusion="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/confusion.csv",
        per_genre="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/per_genre.csv",
        roc="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/roc.csv",
        reliability="results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/reliability.csv",
        confusion_matrix=report(
            "results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/confusion_matrix.png",
            caption="../report/confusion_matrix.rst",
            category="Confusion matrices",
            labels=lambda w: dict(w),
        ),
        learning_curves=report(
            "results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/learning_curves.png",
            caption="../report/learning_curves.rst",
            category="Learning curves",
            labels=lambda w: dict(w),
        ),
        roc_curves=report(
            "results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/roc_curves.png",
            caption="../report/roc_curves.rst",
            category="ROC curves",
            labels=lambda w: dict(w),
        ),
        reliability_diagram=report(
            "results/{dataset}/{representation}/{model}/{split}{fold}/{seed}/reliability_diagram.png",
            caption="../report/reliability_diagram.rst",
            category="Reliability diagrams",
            labels=lambda w: dict(w),
        ),
    log:
        "logs/evaluate/{dataset}/{representation}/{model}/{split}{fold}/{seed}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    params:
        values=values("evaluate"),
        code=code("evaluate"),
        fold=fold,
    shell:
        "python workflow/scripts/evaluate.py --params params.yaml --dataset {wildcards.dataset}"
        " --representation {wildcards.representation} --model {wildcards.model}"
        " --split-name {wildcards.split} --fold {params.fold} --seed {wildcards.seed}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --bundle {input.bundle} --history {input.history}"
        " --predictions {output.predictions} --track-predictions {output.track_predictions}"
        " --metrics {output.metrics} --confusion {output.confusion} --per-genre {output.per_genre}"
        " --roc {output.roc} --reliability {output.reliability}"
        " --confusion-matrix {output.confusion_matrix} --learning-curves {output.learning_curves}"
        " --roc-curves {output.roc_curves} --reliability-diagram {output.reliability_diagram}"
        " 2>&1 | tee {log}"
