"""The teacher's screen; for now the local socket that tells it what is going on."""
