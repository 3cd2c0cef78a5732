# Run by Snakemake inside the conda environment that it has just made.
pip install --no-deps --editable "$LIMAFLOW_CHECKOUT"
