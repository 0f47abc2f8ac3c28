"""The sample pictures of the project, drawn by code."""
