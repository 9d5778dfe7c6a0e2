"""A local Slack workspace and a local Stripe account: the world Kassör is tried in, not us. It imports nothing of ours."""
