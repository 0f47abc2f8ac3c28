"""Files, locks, threads and parts of other packages: what the machine gives."""
