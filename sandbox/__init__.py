"""A local Slack workspace and a local Stripe account to try Kassör against. It is the world, not us: it imports nothing of the product."""
