"""The demo: a real Envoy refuses real tokens, for reasons known by construction."""
