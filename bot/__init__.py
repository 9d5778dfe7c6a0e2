"""Slack: what people type and press, what they see, and the messages they are sent."""
