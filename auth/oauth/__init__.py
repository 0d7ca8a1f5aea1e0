"""The OAuth 2.0 authorization server: django-oauth-toolkit, with the rules of RFC 9700 on."""
