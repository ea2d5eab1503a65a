"""The tree of pages: its beginnings and who works where, what it shows, what is due, what broke."""
