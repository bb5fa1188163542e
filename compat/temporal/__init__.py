"""Temporal's Python API on Resonate: a program runs with only its imports changed, and no Temporal server."""
