"""How the database came to be what it is, in order. Applied by `kassor migrate`."""
