"""What the paper prints, one module a kind: ours beside the paper's, in every format."""
