# From candidates to the frozen data sets.


rule filter:
    """Apply the paper's selection rules to one shard."""
    input:
        "<results>/curation/candidates/{source}/{shard}.jsonl",
    output:
        kept="<results>/curation/filtered/{source}/{shard}.jsonl",
        dropped="<results>/curation/dropped/filter/{source}/{shard}.jsonl",
    log:
        "<logs>/filter/{source}-{shard}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "filter_candidates"),
        filters=filter_options,
        seed=CONFIG.seed,
    shell:
        "limaflow curate filter {params.filters} --seed {params.seed}"
        " --kept {output.kept} --dropped {output.dropped} {input} 2>&1 | tee {log}"


rule hold_out:
    """Draw the prompts of dev and test, or take the ones brought."""
    input:
        pool=filtered_files(draws("dev").keys() | draws("test").keys()),
        dev=brought_prompts("dev"),
        test=brought_prompts("test"),
    output:
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
    log:
        "<logs>/hold_out.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "hold_out"),
        dev=as_json(draws("dev")),
        test=as_json(draws("test")),
        brought_dev=brought_prompt_options("dev"),
        brought_test=brought_prompt_options("test"),
        temperature=CONFIG.curation.sampling_temperature,
        seed=CONFIG.seed,
    shell:
        "limaflow curate hold-out --dev {params.dev:q} --test {params.test:q}"
        " {params.brought_dev} {params.brought_test}"
        " --temperature {params.temperature} --seed {params.seed}"
        " --dev-output {output.dev} --test-output {output.test} {input.pool} 2>&1 | tee {log}"


rule deduplicate:
    """Keep one of each group of exact or near duplicates, within and across sources."""
    input:
        filtered_files(train_sources()),
    output:
        kept="<results>/curation/unique.jsonl",
        dropped="<results>/curation/dropped/deduplicate.jsonl",
    log:
        "<logs>/deduplicate.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "deduplicate"),
        settings=CONFIG.curation.deduplication.flag(),
    shell:
        "limaflow curate deduplicate --settings {params.settings:q}"
        " --kept {output.kept} --dropped {output.dropped} {input} 2>&1 | tee {log}"


rule decontaminate:
    """Drop training examples that share text with the prompts or a benchmark."""
    input:
        unique="<results>/curation/unique.jsonl",
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
        benchmarks="<results>/benchmarks/texts.jsonl",
    output:
        kept="<results>/curation/pool.jsonl",
        dropped="<results>/curation/dropped/decontaminate.jsonl",
        report="<results>/curation/contamination.jsonl",
    log:
        "<logs>/decontaminate.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "decontaminate"),
        settings=CONFIG.curation.decontamination.flag(),
    shell:
        "limaflow curate decontaminate --settings {params.settings:q}"
        " --prompts {input.dev} --prompts {input.test} --benchmark-texts {input.benchmarks}"
        " --kept {output.kept} --dropped {output.dropped} --report {output.report}"
        " {input.unique} 2>&1 | tee {log}"


rule sample:
    """Draw a data set and its reserve from the pool."""
    input:
        "<results>/curation/pool.jsonl",
    output:
        sampled="<results>/datasets/{dataset}/sampled.jsonl",
        reserve="<results>/datasets/{dataset}/reserve.jsonl",
    log:
        "<logs>/sample/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(d.name for d in CONFIG.datasets if d.examples is not None),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "sample"),
        examples=lambda wildcards: as_json(CONFIG.dataset(wildcards.dataset).examples),
        temperature=CONFIG.curation.sampling_temperature,
        reserve=CONFIG.curation.reserve_share,
        seed=CONFIG.seed,
    shell:
        "limaflow curate sample --examples {params.examples:q} --temperature {params.temperature}"
        " --reserve-share {params.reserve} --seed {params.seed}"
        " --sampled {output.sampled} --reserve {output.reserve} {input} 2>&1 | tee {log}"


rule apply_review:
    """Apply the reviewer's ledger: edits, rejections, replacements from the reserve."""
    input:
        sampled="<results>/datasets/{dataset}/sampled.jsonl",
        reserve="<results>/datasets/{dataset}/reserve.jsonl",
        ledger=ledger,
    output:
        kept="<results>/datasets/{dataset}/reviewed.jsonl",
        dropped="<results>/datasets/{dataset}/dropped.jsonl",
        summary="<results>/datasets/{dataset}/review.json",
    log:
        "<logs>/apply_review/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(d.name for d in CONFIG.datasets if d.examples is not None),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "apply_review"),
        ledger=lambda wildcards, input: (
            f"--ledger {input.ledger}" if input.ledger else ""
        ),
        seed=CONFIG.seed,
    shell:
        "limaflow curate apply-review {params.ledger} --seed {params.seed}"
        " --reserve {input.reserve} --kept {output.kept} --dropped {output.dropped}"
        " --summary {output.summary} {input.sampled} 2>&1 | tee {log}"


rule adopt_dataset:
    """Take a ready-made data set in `messages` form."""
    input:
        brought_dataset,
    output:
        "<results>/datasets/{dataset}/reviewed.jsonl",
    log:
        "<logs>/adopt_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(d.name for d in CONFIG.datasets if d.path is not None),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "adopt"),
    shell:
        "limaflow curate adopt --output {output} {input:q} 2>&1 | tee {log}"


rule freeze:
    """Write train, dev and test as other tools read them, with card and checksums."""
    input:
        train="<results>/datasets/{dataset}/reviewed.jsonl",
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
    output:
        train="<results>/datasets/{dataset}/frozen/train.jsonl",
        dev="<results>/datasets/{dataset}/frozen/dev.jsonl",
        test="<results>/datasets/{dataset}/frozen/test.jsonl",
        card="<results>/datasets/{dataset}/frozen/README.md",
        checksums="<results>/datasets/{dataset}/frozen/SHA256SUMS",
    log:
        "<logs>/freeze/{dataset}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "freeze"),
        title=CONFIG.title,
        folder=subpath(output.train, parent=True),
    shell:
        "limaflow curate freeze --dataset {wildcards.dataset} --title {params.title:q}"
        " --dev {input.dev} --test {input.test} --output-folder {params.folder}"
        " {input.train} 2>&1 | tee {log}"


rule funnel:
    """Count what each step kept and dropped; fail where a count is impossible."""
    input:
        frozen=collect(
            "<results>/datasets/{dataset}/frozen/train.jsonl",
            dataset=[d.name for d in CONFIG.datasets],
        ),
        pool="<results>/curation/pool.jsonl" if train_sources() else [],
        filtered=filtered_files(drawn_sources()),
    output:
        "<results>/curation/funnel.json",
    log:
        "<logs>/funnel.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "funnel"),
        results=subpath(output[0], ancestor=2),
        shards=as_json(drawn_shards()),
        names=repeated("--dataset", [d.name for d in CONFIG.datasets]),
    shell:
        "limaflow curate funnel --curation {params.results}/curation --datasets {params.results}/datasets"
        " --shards {params.shards:q} {params.names}"
        " --output {output} 2>&1 | tee {log}"
