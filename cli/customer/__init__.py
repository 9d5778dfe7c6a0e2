"""`kassor customer`: what happened to somebody's invoice, on one screen, from whatever the operator has at hand."""
