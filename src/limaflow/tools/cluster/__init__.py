"""Where the study runs: what a profile asks of a SLURM cluster, and what that cluster has."""
