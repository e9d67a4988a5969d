"""Joining: several lines about one refused request become one event."""
