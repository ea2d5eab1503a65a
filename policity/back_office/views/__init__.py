"""What staff do and see, one file for each piece of work."""
