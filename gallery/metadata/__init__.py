"""Names that people wrote into and beside pictures, read and merged."""
