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
        code=filter_code,
        filters=filter_options,
        seed=CONFIG.seed,
    shell:
        "limaflow curate filter {params.filters} --seed {params.seed}"
        " --kept {output.kept} --dropped {output.dropped} {input} 2>&1 | tee {log}"


rule hold_out:
    """Draw the prompts of dev and test, or take the ones brought."""
    input:
        pool=filtered_files(draws("dev").keys() | draws("test").keys()),
        dev=as_is(brought_prompts("dev")),
        test=as_is(brought_prompts("test")),
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
        attacks=as_is(attack_option()),
        brought_dev=as_is(brought_prompt_options("dev")),
        brought_test=as_is(brought_prompt_options("test")),
        temperature=CONFIG.curation.sampling_temperature,
        seed=CONFIG.seed,
    shell:
        "limaflow curate hold-out --dev {params.dev:q} --test {params.test:q}"
        " {params.attacks} {params.brought_dev} {params.brought_test}"
        " --temperature {params.temperature} --seed {params.seed}"
        " --dev-output {output.dev} --test-output {output.test} {input.pool} 2>&1 | tee {log}"


rule deduplicate:
    """Keep one of each group of exact or near duplicates, within and across sources."""
    input:
        filtered_files_of_pool,
    output:
        kept="<results>/curation/unique/{pool}.jsonl",
        dropped="<results>/curation/dropped/deduplicate/{pool}.jsonl",
    log:
        "<logs>/deduplicate/{pool}.log",
    wildcard_constraints:
        pool=any_of(POOLS),
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
        unique="<results>/curation/unique/{pool}.jsonl",
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
        benchmarks=benchmark_texts_file,
    output:
        kept="<results>/curation/pool/{pool}.jsonl",
        dropped="<results>/curation/dropped/decontaminate/{pool}.jsonl",
        report="<results>/curation/contamination/{pool}.jsonl",
    log:
        "<logs>/decontaminate/{pool}.log",
    wildcard_constraints:
        pool=any_of(POOLS),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "decontaminate"),
        settings=CONFIG.curation.decontamination.flag(),
        benchmarks=lambda wildcards, input: repeated(
            "--benchmark-texts", input.benchmarks
        ),
    shell:
        "limaflow curate decontaminate --settings {params.settings:q}"
        " --prompts {input.dev} --prompts {input.test} {params.benchmarks}"
        " --kept {output.kept} --dropped {output.dropped} --report {output.report}"
        " {input.unique} 2>&1 | tee {log}"


rule sample:
    """Draw a data set and its reserve from its pool."""
    input:
        pool_of,
    output:
        sampled="<results>/datasets/{dataset}/sampled.jsonl",
        reserve="<results>/datasets/{dataset}/reserve.jsonl",
        dropped="<results>/datasets/{dataset}/undrawn.jsonl",
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
        choose=choose_option,
        seed=CONFIG.seed,
    shell:
        "limaflow curate sample --examples {params.examples:q} --temperature {params.temperature}"
        " --reserve-share {params.reserve} {params.choose} --seed {params.seed}"
        " --sampled {output.sampled} --reserve {output.reserve} --dropped {output.dropped}"
        " {input} 2>&1 | tee {log}"


rule apply_review:
    """Apply the reviewer's ledger: edits, rejections, replacements from the reserve."""
    input:
        sampled="<results>/datasets/{dataset}/sampled.jsonl",
        reserve="<results>/datasets/{dataset}/reserve.jsonl",
        pool=pool_of,
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
        decided=content(*LEDGER),
        ledger=untracked(repeated("--ledger", LEDGER)),
        configured=untracked(ledger_option()),
        without=lambda wildcards: repeated(
            "--without", CONFIG.dataset(wildcards.dataset).without
        ),
        seed=CONFIG.seed,
    shell:
        "limaflow curate apply-review {params.ledger} {params.configured} {params.without}"
        " --seed {params.seed}"
        " --pool {input.pool} --reserve {input.reserve} --kept {output.kept} --dropped {output.dropped}"
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


rule contamination:
    """List what a ready-made data set shares with the prompts or a benchmark; nothing is removed."""
    input:
        train="<results>/datasets/{dataset}/reviewed.jsonl",
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
        benchmarks=benchmark_texts_file,
    output:
        "<results>/datasets/{dataset}/contamination.jsonl",
    log:
        "<logs>/contamination/{dataset}.log",
    wildcard_constraints:
        dataset=any_of(d.name for d in CONFIG.datasets if d.path is not None),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "contamination"),
        settings=CONFIG.curation.decontamination.flag(),
        benchmarks=lambda wildcards, input: repeated(
            "--benchmark-texts", input.benchmarks
        ),
    shell:
        "limaflow curate contamination --settings {params.settings:q}"
        " --prompts {input.dev} --prompts {input.test} {params.benchmarks}"
        " --report {output} {input.train} 2>&1 | tee {log}"


rule freeze:
    """Write train, dev and test as other tools read them."""
    input:
        train="<results>/datasets/{dataset}/reviewed.jsonl",
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
    output:
        train="<results>/datasets/{dataset}/frozen/train.jsonl",
        dev="<results>/datasets/{dataset}/frozen/dev.jsonl",
        test="<results>/datasets/{dataset}/frozen/test.jsonl",
    log:
        "<logs>/freeze/{dataset}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "freeze"),
        licences=as_json({s.name: s.licence for s in CONFIG.sources if s.licence}),
        prompts=prompts_option,
        folder=subpath(output.train, parent=True),
    shell:
        "limaflow curate freeze --dev {input.dev} --test {input.test}{params.prompts}"
        " --licences {params.licences:q} --output-folder {params.folder} {input.train} 2>&1 | tee {log}"


rule funnel:
    """Count what each step kept and dropped; fail where a count is impossible."""
    input:
        frozen=collect(
            "<results>/datasets/{dataset}/frozen/train.jsonl",
            dataset=[d.name for d in CONFIG.datasets],
        ),
        pools=collect("<results>/curation/pool/{pool}.jsonl", pool=POOLS),
        filtered=filtered_files(drawn_sources()),
        extracted=extracted_files(drawn_sources()),
        undrawn=collect(
            "<results>/datasets/{dataset}/undrawn.jsonl",
            dataset=[d.name for d in CONFIG.datasets if d.examples is not None],
        ),
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
        datasets=as_json({d.name: CONFIG.pool(d.name) for d in CONFIG.datasets}),
    shell:
        "limaflow curate funnel --results {params.results}"
        " --shards {params.shards:q} --datasets {params.datasets:q}"
        " --output {output} 2>&1 | tee {log}"


rule describe:
    """Write card, attribution, lengths, a page to browse and checksums beside the frozen rows."""
    input:
        train="<results>/datasets/{dataset}/frozen/train.jsonl",
        dev="<results>/datasets/{dataset}/frozen/dev.jsonl",
        test="<results>/datasets/{dataset}/frozen/test.jsonl",
        contamination=contamination_report,
        funnel="<results>/curation/funnel.json",
        tokenizer=named_base,
    output:
        card="<results>/datasets/{dataset}/frozen/README.md",
        attribution="<results>/datasets/{dataset}/frozen/attribution.csv",
        lengths="<results>/datasets/{dataset}/frozen/lengths.svg",
        browse="<results>/datasets/{dataset}/frozen/index.html",
        checksums="<results>/datasets/{dataset}/frozen/SHA256SUMS",
    log:
        "<logs>/describe/{dataset}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("curation", "describe"),
        page=content(*page_files("curation/browse")),
        title=as_is(CONFIG.title),
        folder=subpath(output.card, parent=True),
        tokenizer=lambda wildcards, input: repeated("--tokenizer", input.tokenizer),
    shell:
        "limaflow curate describe --dataset {wildcards.dataset} --title {params.title:q}"
        " --contamination {input.contamination} --funnel {input.funnel} {params.tokenizer}"
        " {params.folder} 2>&1 | tee {log}"
