"""Run the loop: adapt, plan, keep the rhythm, record every tick (Algorithm 10 of the thesis and what it needs)."""
