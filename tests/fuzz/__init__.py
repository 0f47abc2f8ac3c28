"""Damaged files by the thousand: whatever stands in one, the answer is a sentence.

`python -m tests.fuzz` makes sound files of every kind that gallery opens, damages them by seeds,
and gives them to the functions that read them, many in one process. It counts what may never
happen: exceptions that are no GalleryError, processes that a signal ends, inputs that take over
half a minute; and says how much memory a process took at most.
"""
