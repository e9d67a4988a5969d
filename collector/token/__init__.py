"""Credentials: where one stands in a request, what shape it has, whether its signature verifies. The text is dropped here."""
