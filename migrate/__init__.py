"""The codemod: rewrites Temporal and DBOS projects into Resonate generator code."""
