"""The doctor: look at a machine, its robot and its parameters before a run, and say what to fix.

A check is a function from a `Subject` to findings; related checks share a file, `examine.CHECKS` is their list.
"""
