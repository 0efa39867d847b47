"""The dashboard: pages made on the server, that can be read and used without JavaScript."""
