"""Compare recorded runs: figures, pictures, a page."""
