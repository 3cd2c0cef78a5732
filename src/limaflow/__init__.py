"""limaflow: a rerunnable reproduction of "LIMA: Less Is More for Alignment" (arXiv 2305.11206)."""
