"""From program to program: each pass is a pure function."""
