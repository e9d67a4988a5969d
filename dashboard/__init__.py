"""Views in, pictures out. Everything it knows of the store it asks by SQL."""
