"""What shippers push to the door of the OTLP/HTTP receiver besides OTLP: Loki's protocol (`loki`) and Splunk's HTTP Event Collector (`splunk`)."""
