"""Real JWT libraries, driven with broken tokens."""
