"""Programs that run on an original and on its shim, the same text on both sides."""
