"""Credentials: where one is in a request, what shape it has, whether its signature verifies. The text is dropped here."""
