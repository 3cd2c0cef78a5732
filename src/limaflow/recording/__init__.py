"""What made each file: a small record beside it, written by the command that made it."""
