"""What leaves: records, and every format that they are written in."""
