"""The HTTP server: one port for all services, the admin pages, and pages that other packages add."""
