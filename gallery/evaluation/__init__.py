"""How often a gallery is right, on characters whose faces are known.

The statistics are functions of arrays: `metrics` and `pairs` of two faces, `search` and `trials` of
a face among characters. `evaluation_set` reads what is to be judged out of a gallery, `evaluate`
puts the tables together, `page` and `plain` write them.
"""
