"""The OTLP receivers: `grpc_source.py` and `http_source.py` over what `receiver.py` holds for both."""
