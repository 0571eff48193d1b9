"""The built-in lesson: a small lesson on the theorem of Pythagoras that needs no device and no file."""
