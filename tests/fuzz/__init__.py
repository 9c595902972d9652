"""Photo files broken along their structure, and a judge of what comes back."""
