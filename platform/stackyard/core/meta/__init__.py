"""What all doors of the management API (`/api:meta/…`) have in common."""
