"""What programs hold: ``Resonate``, handles, and the same names for async code."""
