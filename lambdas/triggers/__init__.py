"""What makes a lambda run by itself. One file a kind."""
