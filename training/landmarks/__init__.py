"""Training of the network that looks at single heads for their eyes; wants PyTorch."""
