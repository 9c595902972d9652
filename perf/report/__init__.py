"""The report: tables and plots of the kept results."""
