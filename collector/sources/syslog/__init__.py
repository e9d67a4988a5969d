"""The syslog receiver: datagrams, TCP and TLS (`syslog_source`, `tcp`), from bytes to messages (`framing`) to records (`syslog_messages`, `streams`) to batches (`outbox`)."""
