"""What is counted, for `/metrics`. Names and numbers only: never an id, a name or an amount."""

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
