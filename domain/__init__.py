"""The rules and the records of billing. Knows no Slack and no HTTP framework."""
