"""What leaves for other systems once it is committed: counts by cause for Prometheus, and each failure as a record."""
