"""What benchmarks and training both measure with: labelled faces, thresholds and tables."""
