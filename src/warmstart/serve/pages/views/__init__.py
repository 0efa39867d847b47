"""What each page shows, made of what the service knows; no HTTP, no HTML."""
