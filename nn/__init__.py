"""Neural networks on autograd_lite: perceptrons, MLPs, losses, optimizers."""
