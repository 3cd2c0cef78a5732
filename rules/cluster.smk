# What compute nodes without a network need to find.


rule prefetch_models:
    """Bring the models of the hub into its cache."""
    output:
        "<results>/prefetched.json",
    log:
        "<logs>/prefetch_models.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("tools.cluster", "prefetch"),
        hub=HUB_CACHE,
        models=as_is(" ".join(map(shlex.quote, named_models()))),
    shell:
        "limaflow cluster prefetch --output {output} {params.models} 2>&1 | tee {log}"
