"""Logging in with an account somewhere else: OpenID Connect, and GitHub's OAuth 2.0. Authlib speaks the protocols."""
