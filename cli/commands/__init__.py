"""The console's commands, a subject a file. Each loads the product only when it is asked for: `kassor --help` answers at once."""
