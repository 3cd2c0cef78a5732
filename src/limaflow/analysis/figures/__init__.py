"""One figure a module, each with the CSV of its numbers beside it."""
