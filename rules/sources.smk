# Raw dumps, and the candidates read from them.


rule miniature_world:
    """Write the invented world in the native formats of the real sources."""
    output:
        "<results>/world/world.json",
        world_files(),
    log:
        "<logs>/miniature_world.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("tools.miniature", "world"),
        settings=CONFIG.miniature.flag() if CONFIG.miniature else None,
        seed=CONFIG.seed,
        folder=subpath(output[0], parent=True),
    shell:
        "limaflow miniature world --seed {params.seed} --settings {params.settings:q}"
        " --output {params.folder} 2>&1 | tee {log}"


rule fetch:
    """Download a raw file and check its checksum."""
    output:
        "resources/{path}",
    log:
        "<logs>/fetch/{path}.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("sources", "fetch"),
        options=fetch_options,
    shell:
        "limaflow source fetch {params.options} --output {output} 2>&1 | tee {log}"


rule extract:
    """Read candidates (a prompt with its response) from one shard of a source."""
    input:
        raw_files,
    output:
        candidates="<results>/curation/candidates/{source}/{shard}.jsonl",
        counts="<results>/curation/extracted/{source}/{shard}.json",
    log:
        "<logs>/extract/{source}-{shard}.log",
    conda:
        "../envs/limaflow.yaml"
    threads: extract_processes
    params:
        code=extract_code,
        kind=lambda wildcards: CONFIG.source(wildcards.source).kind,
        options=lambda wildcards: CONFIG.source(wildcards.source).reading_options(),
    shell:
        "limaflow source extract --kind {params.kind} --source {wildcards.source}"
        " --shard {wildcards.shard} --options {params.options:q} --processes {threads}"
        " --output {output.candidates} --counts {output.counts} {input:q} 2>&1 | tee {log}"
