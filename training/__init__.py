"""Trains dlib's face network on anime faces; a part of the repository, not of the package."""
