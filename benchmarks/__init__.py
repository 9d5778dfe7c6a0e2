"""How fast, as ratios measured side by side in one run. `python -m benchmarks` runs all, `python -m benchmarks worker` one part."""
