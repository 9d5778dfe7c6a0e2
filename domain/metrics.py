"""What is counted, for `/metrics`. Names and numbers only: never an id or a name."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()  # our own: the default one adds what the platform already knows

RECEIVED = Counter(
    "kassor_webhook_requests_total",
    "Requests to the receiver, by how they were answered.",
    ["status"],
    registry=REGISTRY,
)
BATCHES = Histogram(
    "kassor_ingest_batch_events",
    "Events that shared one commit.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
SETTLED = Counter(
    "kassor_events_settled_total",
    "Events the worker let go of: done, not_ours, retried, put_off, buried.",
    ["outcome"],
    registry=REGISTRY,
)
READINGS = Histogram(
    "kassor_reading_seconds",
    "Seconds one reading of a Stripe object took, by how it ended.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
MENDED = Counter(
    "kassor_mended_total", "Things a missed webhook had left behind, by kind.", ["kind"], registry=REGISTRY
)
DEPTH = Gauge("kassor_queue_items", "Items that wait or are buried.", ["queue", "state"], registry=REGISTRY)
AGE = Gauge(
    "kassor_queue_oldest_due_seconds", "How long the oldest due item has been due.", ["queue"], registry=REGISTRY
)
STRIPE_CALLS = Histogram(
    "kassor_stripe_call_seconds",
    "Seconds a call to Stripe took, by what it was and Stripe's status (`unreachable`: none).",
    ["call", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
    registry=REGISTRY,
)
SLACK_CALLS = Histogram(
    "kassor_slack_call_seconds",
    "Seconds a call to Slack took, by method and outcome (`ok`, Slack's error, `unreachable`).",
    ["method", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
NOTICES = Counter(
    "kassor_notices_sent_total",
    "Messages that have reached Slack, by kind.",
    ["kind"],
    registry=REGISTRY,
)
VISITS = Histogram(
    "kassor_slack_request_seconds",
    "Seconds until something a person did in Slack was carried out, by what it was and how it ended.",
    ["what", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
OLDEST_COPY = Gauge(
    "kassor_copies_oldest_due_seconds",
    "How long the oldest invoice copy has been due and is not sent.",
    registry=REGISTRY,
)
COPIES_DUE = Gauge(
    "kassor_copies_due", "Subscriptions whose period has begun and has no copy in the outbox yet.", registry=REGISTRY
)
PAST_DUE = Gauge(
    "kassor_past_due_minor_units", "What overdue subscriptions owe, in minor units.", ["currency"], registry=REGISTRY
)
TICKED = Counter(
    "kassor_ticks_total", "Ticks of the scheduler, by name and outcome.", ["tick", "outcome"], registry=REGISTRY
)
