"""A finished study as one archive that others can check: packed here, verified anywhere."""
