"""`kassor doctor`: is everything as it must be? A check a function, a table of them, and never a secret in what is said."""
