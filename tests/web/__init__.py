"""The console and the wall in a browser: who is let in, the sessions, and the page in a real Chromium."""
