"""The playground: a local page where `nn.fit` trains a small network, step by step, as one asks."""
