"""The Kafka source: `source.py` polls, `decoding.py` decodes, `client_factory.py` connects, `refusals.py` says why a broker refuses."""
