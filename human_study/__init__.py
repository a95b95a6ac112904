"""A person at the window, and what is made of it."""
