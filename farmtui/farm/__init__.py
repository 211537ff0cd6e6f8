"""The domain: frozen values for what all sources know, and the functions that join them."""
