"""APScheduler's ticks, nothing else. What is due lives in rows."""
