"""The customer of the benchmark, and an API key."""

from django.db import models


class Customer(models.Model):
    """A customer: the same fields, the same indexes as ours."""

    created_at = models.DateTimeField(auto_now_add=True)
    name = models.TextField()
    email = models.EmailField(unique=True)
    city = models.TextField()
    status = models.CharField(max_length=8, choices=[(s, s) for s in ("new", "active", "gone")])
    credit = models.DecimalField(max_digits=12, decimal_places=2)
    visits = models.IntegerField()
    newsletter = models.BooleanField()

    class Meta:
        # What the lists are filtered and sorted by; the third of them has none for its order.
        indexes = [models.Index(fields=["city"]), models.Index(fields=["city", "name"])]


class ApiKey(models.Model):
    """A key, stored as the SHA-256 of its text."""

    digest = models.CharField(max_length=64, unique=True)
    revoked = models.BooleanField(default=False)

    is_authenticated = True
