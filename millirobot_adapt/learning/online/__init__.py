"""Walk, train and serve side by side: chapter 8 of Clavera's thesis (asynchronous model-based learning)."""
