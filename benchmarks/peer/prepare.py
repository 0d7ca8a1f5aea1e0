"""Makes the peer's tables, its customers and its key: `python -m benchmarks.peer.prepare KEY`."""

import hashlib
import os
import sys

import django


def main(key: str) -> None:
    """Fill an empty database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peer.settings")
    django.setup()
    from django.core.management import call_command

    from benchmarks.customers import make_customers
    from benchmarks.peer.shop.models import ApiKey, Customer

    call_command("migrate", run_syncdb=True, verbosity=0)
    Customer.objects.bulk_create((Customer(**one) for one in make_customers()), batch_size=2000)
    ApiKey.objects.create(digest=hashlib.sha256(key.encode()).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1])
