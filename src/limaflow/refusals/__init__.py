"""Whether answers comply or refuse, and how far a grader's rates can be trusted."""
