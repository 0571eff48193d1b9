"""What lessons say: reports, made from `measures` and the timelines of the packages. Pure."""
