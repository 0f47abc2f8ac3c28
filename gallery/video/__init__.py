"""Videos: decoding, shots, faces tracked within a shot, one answer a track."""
