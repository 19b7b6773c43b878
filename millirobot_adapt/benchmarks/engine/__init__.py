"""Measure the engine: rollouts, adaptation, whole ticks, planners."""
