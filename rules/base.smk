# The pretrained model: pretrained here as a stand-in, or named.

if CONFIG.base.stand_in:

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
            as_is(base_files()),
        output:
            "<results>/base/model.json",
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
            stand_in=as_is(CONFIG.base.stand_in.flag()),
            seed=CONFIG.seed,
        shell:
            "limaflow miniature pretrain --stand-in {params.stand_in:q} --seed {params.seed}"
            " --output {output} {input} 2>&1 | tee {log}"

elif CONFIG.uses_base:

    rule adopt_base:
        """Name the base model that the configuration gives."""
        input:
            as_is(model_files(CONFIG.base.path)),
        output:
            "<results>/base/model.json",
        log:
            "<logs>/adopt_base.log",
        localrule: True
        conda:
            "../envs/limaflow.yaml"
        params:
            code=code("training", "adopt"),
            path=as_is(CONFIG.base.path),
            revision=as_is(revision_option(CONFIG.base)),
        shell:
            "limaflow train adopt --model base --path {params.path:q} {params.revision}"
            " --output {output} 2>&1 | tee {log}"
