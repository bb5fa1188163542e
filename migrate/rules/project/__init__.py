"""Codes about files around the code."""
