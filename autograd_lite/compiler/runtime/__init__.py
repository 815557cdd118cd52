"""What the text calls while it runs."""
