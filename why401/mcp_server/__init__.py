"""why401 for assistants that speak the Model Context Protocol: what `why401 mcp` serves."""
