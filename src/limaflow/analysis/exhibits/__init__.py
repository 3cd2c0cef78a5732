"""One exhibit a module: what it is made from, its numbers, its drawing and its caption."""
