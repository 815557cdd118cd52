"""Right answers to the workshops of the course, by which their checks are checked."""
