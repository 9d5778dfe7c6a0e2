"""The operator's console `kassor`, and the only place that wires everything together."""
