"""Verdicts that hold what they promise: from evidence to probabilities, on the user's own gallery.

`evidence` is what is known of a face and the character nearest to it, `trials` asks the gallery
about its own faces and about shipped strangers, `fit` learns from the answers, `model` is what was
learnt and applies it, `strangers` are faces that ship with an encoder, `figures` says in numbers
what is to be expected.
"""
