"""The receiver of Stripe's events (verify, store, answer) and the worker that acts on them."""
