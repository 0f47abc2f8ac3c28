"""Pages, curves and pictures with boxes: what people look at."""
