"""The view set: get, list, create, edit and delete customers."""

from rest_framework import filters, serializers, viewsets
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAuthenticated

from .authentication import ApiKeyAuthentication
from .models import Customer


class CustomerSerializer(serializers.ModelSerializer):
    """Every field."""

    class Meta:
        model = Customer
        fields = "__all__"


class Pages(PageNumberPagination):
    """Twenty at a time, with the total."""

    page_size = 20


class CustomerViewSet(viewsets.ModelViewSet):
    """Customers, filtered by city, in the order asked for."""

    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [IsAuthenticated]
    pagination_class = Pages
    filter_backends = [filters.OrderingFilter]
    ordering_fields = ["id", "name", "credit"]

    def get_queryset(self):
        """All, or those of one city."""
        customers = super().get_queryset()
        city = self.request.query_params.get("city")
        return customers.filter(city=city) if city else customers
