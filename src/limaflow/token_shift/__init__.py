"""Token shift: where a tuned model's tokens stand in the base model, given the same context."""
