"""Speech, people and slides to observations, in a process of its own."""
