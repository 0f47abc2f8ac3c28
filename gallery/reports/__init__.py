"""Reports for people: pages, curves and pictures with boxes."""
