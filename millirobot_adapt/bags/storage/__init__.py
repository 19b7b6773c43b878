"""Read and write bag files, whole or damaged, ours or others'."""
