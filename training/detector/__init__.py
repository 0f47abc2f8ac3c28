"""How the head detector is made: labels by two teachers, painted scenes, training, export."""
