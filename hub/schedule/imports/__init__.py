"""Files that schools bring: read, held against what is known, shown, and only then taken. See `importing`."""
