"""One encoder per track: frames to packets, once."""
