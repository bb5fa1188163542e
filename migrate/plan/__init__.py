"""Decide what changes: tiers, colouring, groups, and the edits of each file."""
