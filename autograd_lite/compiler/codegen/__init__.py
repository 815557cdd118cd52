"""From program to the text of Python."""
