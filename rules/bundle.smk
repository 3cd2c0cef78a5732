# The study as one archive that others verify: a target of its own (`-- bundle`).


rule bundle:
    """Pack the finished study, with hashes of all that may not be handed on."""
    input:
        collect("<results>/report/{page}.html", page=["index", "responses"]),
        shift_page,
        lasting_files(),
    output:
        f"<results>/bundle/{CONFIG.experiment}.zip",
    log:
        "<logs>/bundle.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("bundling", "bundle"),
        results=subpath(output[0], ancestor=2),
    shell:
        "limaflow bundle {params.results} --output {output} 2>&1 | tee {log}"
