"""The Kafka source: `source.py` polls, `messages.py` decodes, `client.py` connects, `access.py` says why a broker refuses us."""
