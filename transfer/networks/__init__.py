"""What methods know of a torch network: its layers and heads, what it remembers, and how much each parameter
matters."""
