"""dj-stripe's tables, and the endpoint whose secret the load signs with."""

import os

import site_  # noqa: F401 - configures Django
from django.core.management import call_command
from djstripe.models import WebhookEndpoint

call_command("migrate", verbosity=0)
WebhookEndpoint.objects.get_or_create(
    djstripe_uuid=os.environ["BENCH_UUID"],
    defaults={
        "id": "we_benchmark",
        "secret": os.environ["BENCH_SECRET"],
        "enabled_events": ["*"],
        "status": "enabled",
        "url": "https://kassor.example/stripe",
        "livemode": False,
    },
)
