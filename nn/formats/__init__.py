"""Files that hold models: our own, PyTorch's, ONNX."""
