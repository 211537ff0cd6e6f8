"""The console in a browser: who is let in, a session for each browser, and the page around it."""
