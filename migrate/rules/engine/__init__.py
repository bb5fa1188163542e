"""Codes of the engine itself."""
