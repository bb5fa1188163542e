"""Drop-ins: programs written for Temporal or DBOS run on Resonate with their imports changed."""
