"""A local Stripe account: the API, the billing engine behind it, its webhooks and its hosted pages."""
