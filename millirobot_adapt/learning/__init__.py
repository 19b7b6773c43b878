"""Collect data, train models, export bundles (the only room that knows PyTorch and onnx)."""
