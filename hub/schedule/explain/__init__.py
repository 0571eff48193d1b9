"""Tells why a request is not served, what would serve it, and which pins cannot all hold."""
