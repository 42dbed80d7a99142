"""Messages, and one way to send them: through a mail server."""
