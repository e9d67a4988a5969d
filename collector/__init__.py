"""Raw gateway records in, safe events out. Touches gateways and tokens; knows nothing of diagnosis or storage."""
