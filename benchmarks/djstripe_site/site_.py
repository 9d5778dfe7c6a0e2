"""The smallest Django site with dj-stripe in it: verify the signature, store the event, do nothing more."""

import os
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

_url = urlsplit(os.environ["BENCH_DATABASE"])


def nothing_more(*_: object, **__: object) -> None:
    """What dj-stripe calls instead of processing."""


settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.lstrip("/"),
            "USER": _url.username or "postgres",
            "HOST": parse_qs(_url.query).get("host", [_url.hostname])[0],
            "CONN_MAX_AGE": None if os.environ["BENCH_PERSISTENT"] else 0,  # seconds; Django's own default is 0
        }
    },
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # it says how long an answer is
    USE_TZ=True,
    STRIPE_TEST_SECRET_KEY="sk_test_benchmark",
    STRIPE_LIVE_MODE=False,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    DJSTRIPE_WEBHOOK_EVENT_CALLBACK=nothing_more,
    LOGGING_CONFIG=None,
)
django.setup()
urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
application = get_wsgi_application()
