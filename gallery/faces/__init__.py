"""Picture -> described faces: detector, alignment, encoder, quality, tracks. Knows no database."""
