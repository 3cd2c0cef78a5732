"""The same goals asked plainly and in attacks; see docs/safety.md."""
