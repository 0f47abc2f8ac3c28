"""Descriptor -> matches -> verdict: the index, the evidence, calibration."""
