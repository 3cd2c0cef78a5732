# The pretrained model: pretrained here as a stand-in, or named.


rule base_corpus:
    """The text of a source, for a stand-in that is pretrained on it."""
    input:
        candidates_of,
    output:
        "<results>/base/corpus/{source}.jsonl",
    log:
        "<logs>/base_corpus/{source}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("sources", "text"),
    shell:
        "limaflow source text --output {output} {input} 2>&1 | tee {log}"


rule pretrain_stand_in:
    """Pretrain a small stand-in for the base model."""
    input:
        base_files() if CONFIG.base.stand_in else [],
    output:
        "<results>/base/model.json"
        if CONFIG.base.stand_in
        else "<results>/base/stand-in.json",
    log:
        "<logs>/pretrain_stand_in.log",
    benchmark:
        "<logs>/pretrain_stand_in.benchmark.jsonl"
    # Nearly all else waits for it.
    priority: 10
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("tools.miniature", "pretrain"),
        stand_in=CONFIG.base.stand_in.flag() if CONFIG.base.stand_in else None,
        seed=CONFIG.seed,
    shell:
        "limaflow miniature pretrain --stand-in {params.stand_in:q} --seed {params.seed}"
        " --output {output} {input} 2>&1 | tee {log}"


rule adopt_base:
    """Name the base model that the configuration gives."""
    input:
        model_files(CONFIG.base.path) if CONFIG.base.path else [],
    output:
        "<results>/base/model.json"
        if CONFIG.base.path
        else "<results>/base/adopted.json",
    log:
        "<logs>/adopt_base.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("training", "adopt"),
        path=CONFIG.base.path,
        revision=f"--revision {CONFIG.base.revision}" if CONFIG.base.revision else "",
    shell:
        "limaflow train adopt --model base --path {params.path:q} {params.revision}"
        " --output {output} 2>&1 | tee {log}"
