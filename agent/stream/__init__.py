"""Peers and their transports, remote playout."""
