"""What is likely wrong in a gallery, and the command that puts it right; nothing is changed."""
