"""What staff pages show, ready to be read; one file for each page."""
