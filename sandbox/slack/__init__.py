"""A local Slack: its Web API, what it sends to apps, its limits, and the controls of the sandbox."""
