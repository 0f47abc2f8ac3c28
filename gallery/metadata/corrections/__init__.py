"""Files in which people correct names with other programs, one module for each program."""
