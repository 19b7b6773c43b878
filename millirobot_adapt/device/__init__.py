"""Plan on a device: the graphs of a bundle, candidates, costs and weights in PyTorch, captured as CUDA graphs."""
