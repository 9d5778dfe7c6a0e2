"""A local Slack workspace and a local Stripe account to try Kassör against: the world, not us. It imports nothing of the product."""
