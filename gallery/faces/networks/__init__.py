"""Files of networks: the manifest, verified weights, dlib's format."""
