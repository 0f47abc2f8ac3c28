"""Programs that hold the pictures: what each of them is asked and told, and one way to talk."""
