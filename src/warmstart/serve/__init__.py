"""The service: live recommendations over HTTP, outcomes, and a dashboard that shows why."""
