"""What is wrong now: urgent or not, in which order, folded into incidents, in one sentence. The page and the alerts say the same."""
