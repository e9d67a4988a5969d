"""`why401 trace`: a request through gateways' configurations, in the order in which the gateway evaluates it, before there is a log line."""
