"""Files to pictures: what paths name, decoding of pictures and videos, shots, stills."""
