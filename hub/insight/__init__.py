"""What lessons say: reports and chapters, made from `measures` and the timelines of the packages."""
