"""Bag files: write, read, repair, import, export."""
