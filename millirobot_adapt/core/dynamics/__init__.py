"""Load a model bundle, adapt it, roll actions through it."""
