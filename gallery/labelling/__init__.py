"""Labelling many pictures into a file, one record each, and going on where it stopped."""
